#!/usr/bin/env python3
"""Puts faults into the model, one at a time, and sees what of the suite finds each.

A copy of the package with every fault in it is built once. Then each fault happens alone: a
fuzz run of a fixed seed against DPDK without faults, every fixture, and at last the unit tests.
Exits with 1 when fewer than 95 % are found, or when equivalent-model.txt is wrong.
"""

import argparse
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from model_faults import Rewriter, computed_statics  # noqa: E402
from part import part  # noqa: E402

MODEL = (
    "CRC32C", "ExactTable", "FlowKey", "FlowState", "InternetChecksum", "JHash", "LearnerTable",
    "Packet", "Parser", "Pipeline", "Pipeline+Batch", "Pipeline+Control", "Pipeline+FindFlow",
    "Pipeline+Forward", "Pipeline+KeepPeer", "SimDataplane", "Tables")
FILES = [f"Sources/SimDataplane/{name}.swift" for name in MODEL]
FILES += ["Sources/Core/Packets/FrameGate.swift", "Sources/Core/Dataplane/Time.swift"]
SECONDS = 40  # of processor time, for a fault in the unit tests
MINUTES = 20  # for any process
SHARE = 12  # faults a process tries


def make_copy(folder):
    """Makes a part of the package with every fault in it. Returns the faults."""
    faults, operators, changed = [], [], {}
    for file in FILES:
        rewriter = Rewriter(Path(file).name, (ROOT / file).read_text(), len(faults) + 1)
        text = computed_statics(rewriter.rewritten())
        if "SimDataplane" in file and "import Core" not in text:
            text = "import Core\n" + text
        changed[Path(file)] = text.encode()
        faults += rewriter.faults
        operators += rewriter.operators
    changed[Path("Sources/Core/Fault.swift")] = (
        (HERE / "Fault.swift").read_text() + "\n".join(operators)).encode()
    tests = (ROOT / "Tests/ReplayTests/Fixture.swift", HERE / "ModelFaultWorker.swift")
    part.make(folder, tests, changed)
    return faults


class Hunt:
    """Tries faults in several processes; goes on behind those that crash one."""

    def __init__(self, binary, options):
        self.binary = binary
        self.frames = options.frames
        self.seed = options.seed
        self.jobs = options.jobs
        self.outcomes = {}
        self.lock = threading.Lock()
        self.shares = []

    def run(self, numbers):
        self.total = len(numbers)
        self.shares = [numbers[i:i + SHARE] for i in range(0, len(numbers), SHARE)]
        self.in_threads(self.work)

    def in_threads(self, work):
        threads = [threading.Thread(target=work) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self):
        while True:
            with self.lock:
                if not self.shares:
                    return
                share = self.shares.pop(0)
            while share:
                share = self.attempt(share)

    def start(self, environment, pattern, seconds=None):
        """Runs tests. Returns 0, what the process ended with, or minus the signal."""
        process = subprocess.Popen(
            [self.binary, "--testing-library", "swift-testing", "--filter", pattern],
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"} | environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=seconds and (
                lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))))
        try:
            return process.wait(MINUTES * 60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return -signal.SIGKILL

    def attempt(self, share):
        """Tries faults in one process. Returns those it has not come to."""
        with tempfile.NamedTemporaryFile("r") as log:
            status = self.start(
                {"K8SDP_FAULTS": ",".join(map(str, share)), "K8SDP_FAULT_LOG": log.name,
                 "K8SDP_FAULT_FRAMES": str(self.frames), "K8SDP_FAULT_SEED": str(self.seed)},
                "ModelFaultWorker")
            lines = [line.split() for line in log.read().splitlines()]
        for words in lines:
            end = "endless" if status == -signal.SIGPROF else "crash"
            self.note(int(words[0]), words[1] if len(words) > 1 else end)
        if not lines:
            raise SystemExit(f"{self.binary} did not start: {status}")
        return share[len(lines):]

    def unit_tests(self):
        """What is not found yet meets the unit tests."""
        left = sorted(n for n, outcome in self.outcomes.items() if outcome == "none")

        def work():
            while True:
                with self.lock:
                    if not left:
                        return
                    number = left.pop(0)
                status = self.start(
                    {"K8SDP_FAULT": str(number)}, "^(SimDataplaneTests|CoreTests)\\.", SECONDS)
                if status != 0:
                    self.note(number, "unit test")

        self.in_threads(work)

    def note(self, number, outcome):
        with self.lock:
            self.outcomes[number] = outcome
            done = len(self.outcomes)
        if sys.stderr.isatty() or done % 100 == 0 or done == self.total:
            print(f"\r{done} of {self.total} faults", end="", file=sys.stderr, flush=True)


def equivalents(path):
    """name → reason: `# reason` lines head the faults below them."""
    result, reason = {}, ""
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line.strip():
            result[line.strip()] = reason
    return result


def build(folder):
    command = ["swift", "build", "--build-tests", "-c", "release", "-j", "2",
               "-Xswiftc", "-enable-testing", "--scratch-path", "../build"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit("\n".join(
            line for line in done.stdout.decode().splitlines() if "error" in line))
    return str(next((folder.parent / "build/release").glob("*.xctest")))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=ROOT / "out/faults", type=Path)
    parser.add_argument("--sample", type=int, help="only that many faults, chosen at random")
    parser.add_argument("--only", help="only faults whose name has this regular expression")
    parser.add_argument("--seed", default=1, type=int,
                        help="where the fuzzer begins, and which faults a sample has")
    parser.add_argument("--frames", default=30_000, type=int, help="of fuzzing for a fault")
    parser.add_argument("--jobs", default=2, type=int)
    options = parser.parse_args()
    folder = ROOT / ".build-faults/package"
    folder.mkdir(parents=True, exist_ok=True)
    faults = make_copy(folder)
    print(f"{len(faults)} faults in {len(FILES)} files; building", file=sys.stderr)
    hunt = Hunt(build(folder), options)

    # Without a fault, nothing may be found.
    hunt.run([0])
    hunt.unit_tests()
    if hunt.outcomes != {0: "none"}:
        sys.exit(f"without any fault the suite finds one: {hunt.outcomes[0]}")
    hunt.outcomes = {}
    numbers = range(1, len(faults) + 1)
    if options.only:
        numbers = [fault.number for fault in faults if re.search(options.only, fault.name)]
    if options.sample:
        numbers = random.Random(options.seed).sample(numbers, min(options.sample, len(faults)))
    hunt.run(list(numbers))
    hunt.unit_tests()
    print(file=sys.stderr)
    sys.exit(report(faults, hunt.outcomes, options))


def report(faults, outcomes, options):
    known = equivalents(HERE / "equivalent-model.txt")
    tried = [fault for fault in faults if fault.number in outcomes]
    survivors = [fault for fault in tried if outcomes[fault.number] == "none"]
    names = {fault.name for fault in faults}
    wrong = [f"found, but listed as equivalent: {fault.name} ({outcomes[fault.number]})"
             for fault in tried if fault.name in known and outcomes[fault.number] != "none"]
    wrong += [f"listed as equivalent, but no such fault: {name}" for name in known
              if name not in names]
    found = len(tried) - len(survivors)
    equivalent = sum(fault.name in known for fault in survivors)
    by_kind = Counter(fault.kind for fault in tried)
    missed = Counter(fault.kind for fault in survivors)
    ways = Counter(outcomes[fault.number] for fault in tried)

    rows = [["faults", "", "found"]]
    rows += [[kind, str(count), str(count - missed[kind])] for kind, count in by_kind.items()]
    rows.append(["all", str(len(tried)), str(found)])
    lines = [f"{a:12}{b:>8}{c:>8}" for a, b, c in rows]
    lines.append("")
    lines += [f"found by {way:12}{count:8}" for way, count in ways.most_common() if way != "none"]
    lines.append("")
    lines.append(f"found of all              {found / len(tried):7.1%}")
    lines.append(f"found of not equivalent   {found / (len(tried) - equivalent):7.1%}")
    for title, listed in (("survivors", False), ("equivalent", True)):
        chosen = [fault for fault in survivors if (fault.name in known) == listed]
        lines += ["", f"{title}: {len(chosen)}"]
        reason = None
        for fault in chosen:
            if listed and known[fault.name] != reason:
                reason = known[fault.name]
                lines.append(f"  # {reason}")
            lines.append(f"  {fault.file}:{fault.line}: {fault.name.split(' | ', 1)[1]}")
    lines += [""] * bool(wrong) + wrong
    text = "\n".join(lines) + "\n"
    print(text, end="")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "model.txt").write_text(text)
    (options.out / "model.json").write_text(json.dumps({
        "faults": len(tried), "found": found, "equivalent": equivalent,
        "survivors": [fault.record() for fault in survivors if fault.name not in known],
        "all": [fault.record() | {"outcome": outcomes[fault.number],
                                  "reason": known.get(fault.name)} for fault in tried],
    }, indent=1, ensure_ascii=False))
    enough = found >= 0.95 * (len(tried) - equivalent)
    return 1 if wrong or not enough else 0


if __name__ == "__main__":
    main()
