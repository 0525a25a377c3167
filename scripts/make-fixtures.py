#!/usr/bin/env python3
"""Makes fixtures that no real program would give: broken frames, long waits.

    scripts/make-fixtures.py [--list | --check | --table] [NAME ...]

Writes state.yaml, in-port-N.pcap and README.md of each fixture named, or of
all; the same bytes every time. scripts/update-expected.sh then adds what the
model forwards, and --check compares that with what the rules say: every frame
is sent together with its outcome (scripts/synthesis/outcomes.py). --table
writes the table of all fixtures, captured ones included.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import synthesis.all_scenarios  # noqa: E402,F401
from synthesis.scenario import SCENARIOS, pcap, state_text  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent / "Fixtures"
K8SDP = os.environ.get("K8SDP", ROOT.parent / ".build/debug/k8sdp")


def make(name):
    scenario = SCENARIOS[name]
    run = scenario.run()
    folder = ROOT / name
    folder.mkdir(exist_ok=True)
    (folder / "state.yaml").write_text(state_text(run))
    (folder / "README.md").write_text(
        f"{scenario.shows}\nRules {scenario.rules}; synthesised: {scenario.must}\n")
    for file in folder.glob("in-port-*.pcap"):
        file.unlink()
    for port in sorted({port for _, port, _, _ in run.frames}):
        frames = [(time, frame) for time, p, frame, _ in run.frames if p == port]
        (folder / f"in-port-{port}.pcap").write_bytes(pcap(frames))


def packets(path):
    """The frames of a little-endian pcapng file."""
    data, at, frames = path.read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            length = struct.unpack_from("<I", data, at + 20)[0]
            frames.append(data[at + 28:at + 28 + length])
        at += size
    return frames


def verdicts(folder):
    """What the model does with each frame: its port, or the reason of the drop."""
    inputs = [f"--in={f.stem.split('-')[-1]}={f}" for f in folder.glob("in-port-*.pcap")]
    trace = subprocess.run([K8SDP, "trace", "--json", "--state", folder / "state.yaml", *inputs],
                           check=True, capture_output=True).stdout
    return [f["verdict"].get("forward", f["verdict"].get("drop")) for f in json.loads(trace)]


def chosen(outcomes, verdicts):
    """The outcomes, with those that leave a choice settled as the model did."""
    flows = {}
    for (port, data), verdict in zip(outcomes, verdicts):
        if isinstance(data, list):
            options = [o for o in data if o[0] == verdict] or data
            port, data = flows.setdefault(port, options[0])[0], options[0][1]
        yield port, data


def check(name):
    """Compares the model and the expected captures with the outcomes; says what differs."""
    wanted, problems = {}, []
    run, seen = SCENARIOS[name].run(), verdicts(ROOT / name)
    # Replay takes frames in order of time, then port.
    outcomes = [f[3] for f in sorted(run.frames, key=lambda f: f[:2])]
    if len(seen) != len(outcomes):
        problems.append(f"{len(seen)} frames are read of {len(outcomes)}")
    for number, ((port, data), verdict) in enumerate(zip(chosen(outcomes, seen), seen), 1):
        if port is not None:
            wanted.setdefault(port, []).append((number, data))
        if verdict != (data if port is None else port):
            problems.append(f"frame {number}: {verdict}, the rules say "
                            f"{data if port is None else port}")
    for port, (least, most) in run.shares.items():
        if not least <= len(wanted.get(port, [])) <= most:
            problems.append(f"port {port}: {len(wanted.get(port, []))} frames, "
                            f"the rules say {least} to {most}")
    found = {int(f.stem.split("-")[-1]): packets(f)
             for f in (ROOT / name).glob("expect-port-*.pcapng")}
    for port in sorted(wanted.keys() | found.keys()):
        want, have = wanted.get(port, []), found.get(port, [])
        if len(want) != len(have):
            problems.append(f"port {port}: {len(have)} frames, the rules say {len(want)}")
        for (number, a), b in zip(want, have):
            if a != b:
                problems.append(f"port {port}: frame {number} is {b.hex()}, "
                                f"the rules say {a.hex()}")
                break
    for problem in problems:
        print(f"{name}: {problem}")
    return not problems


def table():
    lines = ["# Fixtures", "",
             "Scenarios that both dataplanes must handle alike, and as expected. Made by",
             "`scripts/make-fixtures.py --table`: change the README of the fixture, not this file.",
             "", "| fixture | source | rules | what it shows |", "|---|---|---|---|"]
    for folder in sorted(f for f in ROOT.iterdir() if (f / "state.yaml").exists()):
        shows, second = (folder / "README.md").read_text().splitlines()
        rules, rest = second.removeprefix("Rules ").split("; ", 1)
        source = "synthesised" if rest.startswith("synthesised") else "captured"
        lines.append(f"| `{folder.name}` | {source} | {rules} | {shows} |")
    (ROOT / "README.md").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a fixture to make; default all")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list the scenarios")
    what.add_argument("--check", action="store_true",
                      help="compare what is expected with what the rules say")
    what.add_argument("--table", action="store_true", help="write Fixtures/README.md")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in SCENARIOS]
    if unknown:
        sys.exit(f"make-fixtures.py: no scenario {', '.join(unknown)}; see --list")
    names = options.names or list(SCENARIOS)
    if options.list:
        for name, s in SCENARIOS.items():
            print(f"{name:28}{s.rules:14}{s.shows}")
    elif options.table:
        table()
    elif options.check:
        failed = [name for name in names if not check(name)]
        print(f"{len(names) - len(failed)} of {len(names)} synthesised fixtures are as the rules say")
        sys.exit(bool(failed))
    else:
        for name in names:
            make(name)


if __name__ == "__main__":
    main()
