"""Commands that cannot be run are held against what their programs say of themselves."""

import re
import shlex
import subprocess

from pages import ROOT

# How a command is tested.
RUN, STEP, HELD = "run", "step of CI", "held"


def excepted(reason):
    """Neither run nor held against anything; the reason is printed."""
    return None, lambda command, context: context.skip(command, reason), HELD


def held(function, *arguments):
    """Against what the program says of itself."""
    return None, lambda command, context: function(command.text, context, *arguments), HELD


def steps():
    """The targets of make that .ci/run runs, always or while there is time."""
    return set(re.findall(r"^(?:step|search \d+) make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.M))


def step_of_ci():
    """make TARGET, which CI runs by itself; the command's variables are held against the Makefile."""
    return None, lambda command, context: against_make(command.text, context) or (
        None if shlex.split(command.text)[1] in steps() else "is no step of .ci/run"), STEP


def part_of_deploy_check():
    """scripts/deploy/check.sh PART…: they are among those that `make deploy-check` runs."""

    def check(command, context):
        script = (ROOT / "scripts/deploy/check.sh").read_text()
        parts = set(re.search(r"\|\| parts=\((.*)\)", script)[1].split())
        missing = set(shlex.split(command.text)[1:]) - parts - {"PART"}
        if missing or "deploy-check" not in steps():
            return f"{', '.join(missing)}: make deploy-check has no such part"

    return None, check, STEP


def help_of(command, programs):
    return subprocess.run(
        [str(programs / command[0])] + command[1:] + ["--help"], capture_output=True, text=True).stdout


def options(words):
    return [w.split("=")[0] for w in words if w.startswith("-") and w != "-"]


def against_help(text, context):
    """The subcommand is there, and each option is in its help."""
    words = shlex.split(text)
    subcommand = [w for w in words[1:2] if not w.startswith("-")]
    page = help_of(words[:1] + subcommand, context.programs)
    if not page.strip():
        return f"{' '.join(words[:1] + subcommand)} --help says nothing"
    missing = [o for o in options(words) if not re.search(rf"(^|\W){re.escape(o)}\b", page)]
    if missing:
        return f"{' '.join(missing)}: not in the help of {' '.join(words[:1] + subcommand)}"


def against_make(text, context):
    """make knows the targets, the scripts of their recipes are there, and variables are read."""
    outcome = subprocess.run(
        ["make", "-n"] + shlex.split(text)[1:], cwd=ROOT, capture_output=True, text=True)
    if outcome.returncode != 0:
        return outcome.stderr
    for script in re.findall(r"(?<![\w/.])scripts/[\w/.-]+\.(?:sh|py)", outcome.stdout):
        if not (ROOT / script).exists():
            return f"its recipe runs {script}, which is not there"
    makefile = (ROOT / "Makefile").read_text()
    for name in re.findall(r"\b([A-Z]+)=", text):
        if not re.search(rf"\$\(?{name}\b|\$\({name}[,)]|^{name} \?=", makefile, re.M):
            return f"no recipe reads {name}"


def against_swift(text, context):
    """Products, traits and tests that it names are there."""
    words = shlex.split(text)
    package = (ROOT / "Package.swift").read_text()
    for option, name in zip(words, words[1:]):
        if option in ("--product", "--target") and f'name: "{name}"' not in package:
            return f"Package.swift has no {name}"
        if option == "--filter" and not any(
                re.search(rf"(struct|func) {re.escape(name)}\b", p.read_text())
                for p in (ROOT / "Tests").rglob("*.swift")):
            return f"no test is called {name}"
    page = subprocess.run(["swift"] + words[1:2] + ["--help"], capture_output=True, text=True).stdout
    missing = [o for o in options(words[2:]) if o not in page]
    if missing:
        return f"{missing}: not in swift {words[1]} --help"


def against_kubectl(text, context):
    """kubectl has the command and its options; files, workloads and accounts are those of deploy/."""
    words = shlex.split(text.split("|")[0])
    words = words[: words.index("--")] if "--" in words else words
    verbs = [w for w in strip_globals(words[1:]) if not w.startswith("-")]
    page = subprocess.run(
        [context.kubectl(), *verbs[:2 if verbs[0] in ("rollout", "auth", "create") else 1], "--help"],
        capture_output=True, text=True).stdout
    page += subprocess.run([context.kubectl(), "options"], capture_output=True, text=True).stdout
    missing = [o for o in options(words) if not re.search(rf"{re.escape(o)}\b", page)]
    if missing or not page.strip():
        return f"{' '.join(missing)}: kubectl {verbs[0]} has no such option"
    for file in re.findall(r"deploy/[\w/.-]+", text):
        if not (ROOT / file).exists():
            return f"there is no {file}"
    manifests = "".join(p.read_text() for p in (ROOT / "deploy/kubernetes").rglob("*.yaml"))
    for name in re.findall(r"\b(?:ds|daemonset)/([\w-]+)|serviceaccount:kube-system:([\w-]+)", text):
        if f"name: {''.join(name)}" not in manifests:
            return f"no manifest has {''.join(name)}"


def strip_globals(words):
    """Without the options that stand before the verb, and their values."""
    while words and words[0].startswith("-"):
        words = words[2:] if words[0] in ("-n", "--namespace", "--context") else words[1:]
    return words
