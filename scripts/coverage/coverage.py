#!/usr/bin/env python3
"""What the tests reach: of the pipeline every action of every table on hit and miss, every
outcome of learning and every drop reason; of the model every region of its source.

    scripts/coverage/coverage.py [--out FOLDER]

Prints a table, and writes FOLDER/index.html. Fails when something is not reached that
unreachable.txt does not list, and when something listed is reached or is not there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from page import page  # noqa: E402
from part import part  # noqa: E402
from regions import counts, regions  # noqa: E402
from report import Report  # noqa: E402

# Fixtures and a fuzz run of fixed seeds are traffic; the rest are unit tests.
TRAFFIC, UNIT_TESTS = "^ReplayTests\\.", "^SimDataplaneTests\\."
TESTS = ("Fixture", "FixtureTests", "KernelOracle", "PipelineCoverageTests", "WaysThroughTheModelTests")
MINUTES = 10  # for either


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", default=ROOT / "out/coverage", type=Path)
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    folder = ROOT / ".build-coverage/package"
    part.make(folder, [ROOT / f"Tests/ReplayTests/{name}.swift" for name in TESTS])
    binary = build(folder)

    pipeline = out / "pipeline.json"
    pipeline.unlink(missing_ok=True)
    tools = Path(shutil.which("swift")).resolve().parent  # the system's may not know the format
    model = folder / "Sources/SimDataplane"
    profiles = {}
    for name, pattern in (("traffic", TRAFFIC), ("unit-tests", UNIT_TESTS)):
        raw, profile = out / f"{name}.profraw", out / f"{name}.profdata"
        run(binary, pattern, raw, pipeline)
        subprocess.run([tools / "llvm-profdata", "merge", raw, "-o", profile], check=True)
        profiles[name] = counts(tools / "llvm-cov", binary, profile, model)
        raw.unlink()
    report = Report(
        json.loads(pipeline.read_text()),
        regions(profiles["traffic"], profiles["unit-tests"]),
        HERE / "unreachable.txt")
    (out / "index.html").write_text(page(report, model))
    (out / "coverage.json").write_text(report.json())
    (out / "coverage.txt").write_text(report.text())
    print(report.text(), end="")
    print(f"\nThe same with the source: {out / 'index.html'}")
    sys.exit(1 if report.problems else 0)


def build(folder):
    command = ["swift", "build", "--build-tests", "-j", "2", "--enable-code-coverage",
               "--scratch-path", "../build"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(done.stdout.decode()[-3000:])
    return str(next((folder.parent / "build/debug").glob("*.xctest")))


def run(binary, pattern, profile, pipeline):
    # One test after the other: the counters of a profile are not atomic.
    done = subprocess.run(
        [binary, "--testing-library", "swift-testing", "--no-parallel", "--filter", pattern],
        env=os.environ | {"LLVM_PROFILE_FILE": str(profile), "K8SDP_COVERAGE": str(pipeline)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MINUTES * 60)
    if done.returncode != 0:
        sys.exit(done.stdout.decode()[-3000:])


if __name__ == "__main__":
    main()
