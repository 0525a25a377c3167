"""What the documentation says: commands and links of its pages."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a command begins with. Another program's name in a code block, such as a package's to be
# installed, is text.
PROGRAMS = (
    r"make|swift|k8sdp|infrap4d|inframanager|infraagent|infra-cni|gnmi-ctl|arp-proxy|felix-api-proxy|"
    r"parser-fuzz|kubectl|kubeadm|kustomize|curl|ip|nsenter|journalctl|systemctl|git|diff|cd|ssh|scp|modprobe|"
    r"sysctl|chmod|chown|rm|cat|tail|jq|kill|apt-get|apt|docker|podman|buildah|promtool|openssl|python3|pip|"
    r"sudo|mkdir|cp|tshark|wireshark|"
    r"(?:\./)?(?:scripts|deploy|k8s_dp)/[\w./-]+\.(?:sh|py)")
COMMAND = re.compile(rf"\(?(?:[A-Z][A-Z0-9_]*=\S* )*(?:{PROGRAMS})(?:\s|$)")
# A block of these is no commands, whatever words begin its lines.
OTHER_LANGUAGES = {"yaml", "json", "swift", "text", "promql", "c", "diff"}


@dataclasses.dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}: {self.text}"


def pages():
    """The pages that people read, relative to the repository."""
    found = ["README.md", "CONTRIBUTING.md"]
    for folder in ("docs", "deploy", "Sources", "Fixtures"):
        found += sorted(str(p.relative_to(ROOT)) for p in (ROOT / folder).rglob("*.md"))
    return found


def without_comment(line):
    """A shell's comment begins at a # behind a space, outside of quotes."""
    quote = ""
    for i, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and (i == 0 or line[i - 1].isspace()):
            return line[:i].rstrip()
    return line.rstrip()


def commands(page, text):
    """Every command of a page: lines of code blocks, and code within a line that has an argument."""
    lines = text.split("\n")
    block, i = None, 0
    while i < len(lines):
        line, number = lines[i], i + 1
        i += 1
        fence = re.match(r"\s*```\s*(\w*)", line)
        if fence:
            block = None if block is not None else fence[1].lower()
            continue
        if block is None:
            for code in re.findall(r"`([^`]+)`", line):
                # … stands in messages of programs, which begin with their names, too.
                if COMMAND.match(code) and " " in code and "…" not in code:
                    yield Command(page, number, code)
            continue
        if block in OTHER_LANGUAGES:
            continue
        text = re.sub(r"^\s*[$#] ", "", line).strip() if block in ("console", "sh-session") else line.strip()
        if not COMMAND.match(text):
            continue
        # A command goes on behind a backslash.
        text = without_comment(text)
        while text.endswith("\\") and i < len(lines):
            text = text[:-1].rstrip() + " " + without_comment(lines[i].strip())
            i += 1
        yield Command(page, number, text)


def slug(heading):
    """The anchor that GitHub and GitLab give a heading."""
    text = re.sub(r"`|\*|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


def anchors(text):
    seen, found, fenced = {}, set(), False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        heading = re.match(r"#{1,6} (.*)", line)
        if heading and not fenced:
            name = slug(heading[1])
            count = seen.get(name, 0)
            seen[name] = count + 1
            found.add(f"{name}-{count}" if count else name)
    return found


def broken_links(page, text):
    """Each link of a page that leads nowhere, within the repository."""
    base = (ROOT / page).parent
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (base / path).resolve() if path else ROOT / page
        if not file.exists():
            yield f"{page}: {target}: there is no {path}"
        elif ROOT not in file.parents and file != ROOT:
            yield f"{page}: {target}: is outside of the repository"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text()):
            yield f"{page}: {target}: {path or page} has no heading #{anchor}"
