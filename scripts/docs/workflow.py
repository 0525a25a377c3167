#!/usr/bin/env python3
"""Runs the steps of a GitHub Actions workflow on this machine, in a copy of its repository.

    workflow.py FOLDER [--k8sdp FILE]

Every step with `run` is run by bash, or by sh in a job with a container, as GitHub's runners do it, with what earlier
steps wrote to GITHUB_PATH and GITHUB_OUTPUT. Of actions, checkout is the copy, and what upload-artifact would keep
has to be there. A job is run twice: cache finds nothing at first, has to have something to keep at the end, and gives that back the second time,
when nothing may be built. The project that the workflow clones is this checkout; packages that apt-get would install
have to be known to it. In a job with a container, runner.temp is a path that is not there, as on GitHub
(actions/runner#965). --k8sdp FILE: instead of building the program, which takes minutes, the build is held against
Package.swift.

Not seen here: the container's image and GitHub's own syntax checks. Exit codes: 0 all steps ended as on GitHub, 1
not.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Runner:
    """One run of a job. `cache` is what actions/cache keeps from one to the next: key → files."""

    def __init__(self, folder, k8sdp, cache):
        self.temp = pathlib.Path(tempfile.mkdtemp(prefix="workflow-"))
        self.work, self.k8sdp, self.failed = self.temp / "work", k8sdp, False
        self.cache, self.is_cached, self.to_keep, self.outputs = cache, bool(cache), [], {}
        shutil.copytree(folder, self.work)
        (self.temp / "runner").mkdir()
        # What the workflow clones: this checkout as it is committed, by a name.
        self.offload = self.temp / "offload.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--depth", "1", ROOT.as_uri(), self.offload], check=True)
        subprocess.run(["git", "-C", self.offload, "branch", "-qf", "here", "HEAD"], check=True)
        self.path = self.temp / "path"
        self.path.touch()

    def value(self, name):
        """What an expression says: runner.temp, env.NAME, steps.ID.outputs.NAME."""
        if name == "runner.temp":
            return "/home/runner/work/_temp" if self.has_container else str(self.temp / "runner")
        kind, _, rest = name.partition(".")
        if kind == "env":
            return self.env[rest]
        step, _, output = rest.partition(".outputs.")
        if kind != "steps" or not output:
            raise ValueError(f"${{{{ {name} }}}} is not understood")
        return self.outputs.get(step, {}).get(output, "")

    def expand(self, text):
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda m: self.value(m[1]), text)

    def is_met(self, condition):
        compared = re.fullmatch(r"([\w.-]+) (==|!=) '(\w+)'", condition)
        if compared:
            return not self.failed and (self.value(compared[1]) == compared[3]) == (compared[2] == "==")
        met = {"success()": not self.failed, "failure()": self.failed, "always()": True}
        if condition not in met:
            raise ValueError(f"if: {condition} is not understood")
        return met[condition]

    def environment(self, job):
        self.has_container = "container" in job
        self.env = {k: str(v) for k, v in job.get("env", {}).items()}
        self.env |= {"OFFLOAD": self.offload.as_uri(), "OFFLOAD_VERSION": "here"}

    def variables(self):
        path = ":".join(reversed(self.path.read_text().split())) + ":" + os.environ["PATH"]
        return os.environ | self.env | {
            "PATH": path.lstrip(":"), "GITHUB_PATH": str(self.path), "CI": "true",
            "GITHUB_OUTPUT": str(self.temp / "output"), "RUNNER_TEMP": str(self.temp / "runner")}

    def script(self, text):
        """What stands for the lines that only a fresh machine can run, or that take minutes."""
        lines = []
        for line in text.splitlines():
            if line.strip() == "apt-get update":
                continue
            packages = re.fullmatch(r"\s*apt-get install (.*)", line)
            if packages:
                names = " ".join(w for w in packages[1].split() if not w.startswith("-"))
                line = f"apt-cache show {names} > /dev/null"
            if self.is_cached and line.strip().startswith("swift build"):
                line = "echo 'the build is cached, and is made again'; exit 1"
            elif self.k8sdp and line.strip().startswith("swift build"):
                product = re.search(r"--product (\S+)", line)[1]
                traits = "enabledTraits" if "--disable-default-traits" in line else "products"
                line = (f"grep -q 'name: \"{product}\"' Package.swift && grep -q {traits} Package.swift && "
                        f"mkdir -p .build/release && cp '{self.k8sdp}' .build/release/{product}")
            lines.append(line)
        return "\n".join(lines)

    def step(self, step):
        name, condition = step.get("name") or step.get("uses") or step["run"], step.get("if", "success()")
        if not self.is_met(condition):
            return print(f"-- {name}: not run, as on GitHub")
        action = step.get("uses", "").split("@")[0]
        if action == "actions/upload-artifact":
            path = self.work / self.expand(step["with"]["path"])
            self.end(name, path.exists() and any(path.iterdir()), f"{path.name} has nothing to keep")
        elif action == "actions/checkout":
            print(f"ok {name}")
        elif action == "actions/cache":
            self.restore(step, name)
        elif action:
            self.end(name, False, f"{action} is not known here")
        else:
            (self.temp / "output").write_text("")
            script = self.script(self.expand(step["run"]))
            outcome = subprocess.run(
                ["sh", "-ec", script] if self.has_container else ["bash", "--noprofile", "--norc", "-ec", script],
                cwd=self.work,
                env=self.variables(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.end(name, outcome.returncode == 0, outcome.stdout + outcome.stderr)
            self.outputs[step.get("id")] = dict(
                line.split("=", 1) for line in (self.temp / "output").read_text().splitlines())

    def restore(self, step, name):
        path, key = (self.expand(step["with"][k]) for k in ("path", "key"))
        kept = self.cache.get(key)
        if kept:
            shutil.copytree(kept, self.work / path, symlinks=True)
        self.outputs[step.get("id")] = {"cache-hit": "true" if kept else ""}
        self.to_keep.append((name, path, key))
        head = subprocess.run(
            ["git", "-C", self.offload, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        self.end(name, head in key, f"{key} stays the same when {self.env['OFFLOAD_VERSION']} goes on")

    def keep(self, folder):
        """What actions/cache does after the last step."""
        for name, path, key in self.to_keep:
            if key in self.cache:
                continue
            source = self.work / path
            is_there = source.is_dir() and any(source.iterdir())
            self.end(f"{name}, at the end", is_there, f"{path} is not there to be kept")
            if source.is_dir():
                self.cache[key] = folder / key
                shutil.copytree(source, folder / key, symlinks=True)

    def end(self, name, is_good, why):
        print(f"ok {name}" if is_good else f"FAILED {name}\n{why}", flush=True)
        self.failed |= not is_good


def run(job, runner, folder):
    try:
        runner.environment(job)
        for step in job["steps"]:
            runner.step(step)
        runner.keep(folder)
    finally:
        shutil.rmtree(runner.temp)
    return not runner.failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--k8sdp")
    options = parser.parse_args()
    k8sdp = options.k8sdp and str(pathlib.Path(options.k8sdp).resolve())
    for file in sorted(pathlib.Path(options.folder, ".github/workflows").glob("*.y*ml")):
        workflow = yaml.safe_load(file.read_text())
        for job in workflow["jobs"].values():
            with tempfile.TemporaryDirectory(prefix="workflow-cache-") as folder:
                cache = {}
                for turn in ("for the first time", "again, with what is cached"):
                    print(f"== {file.name}, {turn}")
                    if not run(job, Runner(options.folder, k8sdp, cache), pathlib.Path(folder)):
                        sys.exit(1)


if __name__ == "__main__":
    main()
