#!/usr/bin/env python3
"""Runs the steps of a GitHub Actions workflow on this machine, in a copy of its repository.

    workflow.py FOLDER [--k8sdp FILE]

Every step with `run` is run by bash as GitHub's runners do it, with what earlier steps wrote to GITHUB_PATH.
Of actions, checkout is the copy, cache finds nothing, and what upload-artifact would keep has to be there. The
project that the workflow clones is this checkout; packages that apt-get would install have to be known to it.
--k8sdp FILE: instead of building the program, which takes minutes, the build is held against Package.swift.

Not seen here: the container's image, GitHub's own syntax checks, and the cache. Exit codes: 0 all steps
ended as on GitHub, 1 not.
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
    def __init__(self, folder, k8sdp):
        self.temp = pathlib.Path(tempfile.mkdtemp(prefix="workflow-"))
        self.work, self.k8sdp, self.failed = self.temp / "work", k8sdp, False
        shutil.copytree(folder, self.work)
        (self.temp / "runner").mkdir()
        # What the workflow clones: this checkout as it is committed, by a name.
        self.offload = self.temp / "offload.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--depth", "1", ROOT.as_uri(), self.offload], check=True)
        subprocess.run(["git", "-C", self.offload, "branch", "-qf", "here", "HEAD"], check=True)
        self.path = self.temp / "path"
        self.path.touch()

    def expand(self, text):
        text = re.sub(r"\$\{\{ *runner\.temp *\}\}", str(self.temp / "runner"), text)
        return re.sub(r"\$\{\{ *env\.(\w+) *\}\}", lambda m: self.env[m[1]], text)

    def environment(self, job):
        self.env = {k: str(v) for k, v in job.get("env", {}).items()}
        self.env |= {"OFFLOAD": self.offload.as_uri(), "OFFLOAD_VERSION": "here"}

    def variables(self):
        path = ":".join(reversed(self.path.read_text().split())) + ":" + os.environ["PATH"]
        return os.environ | self.env | {
            "PATH": path.lstrip(":"), "GITHUB_PATH": str(self.path), "CI": "true",
            "RUNNER_TEMP": str(self.temp / "runner")}

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
            if self.k8sdp and line.strip().startswith("swift build"):
                product = re.search(r"--product (\S+)", line)[1]
                traits = "enabledTraits" if "--disable-default-traits" in line else "products"
                line = (f"grep -q 'name: \"{product}\"' Package.swift && grep -q {traits} Package.swift && "
                        f"mkdir -p .build/release && cp '{self.k8sdp}' .build/release/{product}")
            lines.append(line)
        return "\n".join(lines)

    def step(self, step):
        name, condition = step.get("name") or step.get("uses") or step["run"], step.get("if", "success()")
        if condition not in ("success()", "failure()", "always()"):
            raise ValueError(f"{name}: if: {condition} is not understood")
        if condition == ("success()" if self.failed else "failure()"):
            return print(f"-- {name}: not run, as on GitHub")
        action = step.get("uses", "").split("@")[0]
        if action == "actions/upload-artifact":
            path = self.work / self.expand(step["with"]["path"])
            self.end(name, path.exists() and any(path.iterdir()), f"{path.name} has nothing to keep")
        elif action in ("actions/checkout", "actions/cache"):
            print(f"ok {name}")
        elif action:
            self.end(name, False, f"{action} is not known here")
        else:
            script = self.script(self.expand(step["run"]))
            outcome = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=self.work,
                env=self.variables(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.end(name, outcome.returncode == 0, outcome.stdout + outcome.stderr)

    def end(self, name, is_good, why):
        print(f"ok {name}" if is_good else f"FAILED {name}\n{why}", flush=True)
        self.failed |= not is_good


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
            runner = Runner(options.folder, k8sdp)
            try:
                runner.environment(job)
                for step in job["steps"]:
                    runner.step(step)
            finally:
                shutil.rmtree(runner.temp)
            if runner.failed:
                sys.exit(1)


if __name__ == "__main__":
    main()
