#!/usr/bin/env python3
"""Runs every command of the documentation, and follows every link between its pages.

    check.py [--programs DIR] [--release FILE] [--list] [PAGE...]

Pages are README.md, CONTRIBUTING.md and the Markdown in docs/, deploy/, Sources/ and Fixtures/. A command
is run in namespaces of its own, or is a step of CI itself, or is held against the help of its program, as
scripts/docs/rules.py says; one without a rule fails, and so does a rule that no command needs. What needs root is
skipped without it.

    --programs DIR   the programs (.build/debug)
    --release FILE   k8sdp, optimised, for long searches (.build-offline/release/k8sdp)
    --list           shows commands and rules, and runs nothing

Exit codes: 0 all well, 1 not, 2 bad arguments. The last line is "docs: N passed, N failed, N skipped", after how many
were run, are steps of CI, were held.
"""

import argparse
import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from pages import ROOT, broken_links, commands, pages


class Context:
    """What the rules share: programs, places that are begun when they are first needed."""

    def __init__(self, options):
        self.programs, self.release = pathlib.Path(options.programs).resolve(), options.release
        self.places, self.skipped, self.tools = {}, [], None

    def place(self, kind):
        if kind not in self.places:
            self.places[kind] = kind(self.programs, self.release)
        return self.places[kind]

    def skip(self, command, reason):
        self.skipped.append((command, reason))

    def kubectl(self):
        if self.tools is None:
            self.tools = subprocess.run(
                [ROOT / "scripts/deploy/tools.sh"], capture_output=True, text=True, check=True,
                cwd=ROOT).stdout.strip()
        return str(ROOT / self.tools / "bin/kubectl")

    def close(self):
        for place in self.places.values():
            place.close()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=ROOT / ".build/debug")
    parser.add_argument("--release", default=ROOT / ".build-offline/release/k8sdp")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("page", nargs="*")
    options = parser.parse_args()
    from rules import RULES
    # Ended from outside, it leaves nothing either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    passed, failed, context = 0, [], Context(options)
    used, done, how = set(), {}, collections.Counter()
    try:
        for page in options.page or pages():
            text = (ROOT / page).read_text()
            broken = list(broken_links(page, text))
            failed += broken
            passed += not broken
            for link in broken:
                print(f"FAIL  {link}", flush=True)
            for command in commands(page, text):
                rule = next(
                    (i for i, (pattern, _) in enumerate(RULES) if re.fullmatch(pattern, command.text)), None)
                if rule is None:
                    failed.append(command)
                    print(f"FAIL  {command}\n      no rule of scripts/docs/rules.py says how to test it", flush=True)
                    continue
                used.add(rule)
                place, check, kind = RULES[rule][1]
                if options.list:
                    print(f"{command}  [{place.__name__ if place else kind}]")
                    continue
                if place and os.geteuid() != 0:
                    context.skip(command, "namespaces need root")
                    continue
                began = time.monotonic()
                # Said twice, run once.
                if command.text not in done:
                    before = len(context.skipped)
                    problem = check(command, context)
                    skipped = context.skipped[before:]
                    done[command.text] = problem, skipped[0][1] if skipped else None
                elif done[command.text][1]:
                    context.skip(command, done[command.text][1])
                problem, reason = done[command.text]
                if reason:
                    continue
                if problem:
                    failed.append(command)
                    print(f"FAIL  {command}\n      {problem}", flush=True)
                else:
                    passed += 1
                    how[kind] += 1
                    print(f"ok    {command}  ({kind}, {time.monotonic() - began:.1f} s)", flush=True)
    finally:
        context.close()
    if not options.page:
        for i, (pattern, _) in enumerate(RULES):
            if i not in used:
                failed.append(pattern)
                print(f"FAIL  scripts/docs/rules.py: no command needs {pattern}")
    for command, reason in context.skipped:
        print(f"skip  {command}: {reason}")
    print("docs: " + ", ".join(f"{kind} {count}" for kind, count in how.most_common()))
    print(f"docs: {passed} passed, {len(failed)} failed, {len(context.skipped)} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
