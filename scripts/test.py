#!/usr/bin/env python3
"""Runs tests that are built, and names those that do not end.

usage: test.py [--limit SECONDS] [SWIFT TEST OPTION]...

Prints what `swift test` prints. A run that takes longer than --limit (1800) is ended, and the
tests that had begun and not ended are listed. Exit codes: those of `swift test`; 124 for a run
that was ended.
"""
import os
import re
import signal
import subprocess
import sys
import threading

# Every test of a run at once would wait longer for its turn than anything may take.
AT_ONCE = 4 * (os.cpu_count() or 1)
EVENT = re.compile(r"(Test|Suite) (\w+(?:\(.*?\))?|\".*?\") (?:with \d+ test cases? )?(started|passed|failed)")


def main(arguments):
    limit = 1800
    if arguments[:1] == ["--limit"]:
        if not arguments[1:] or not arguments[1].isdecimal():
            sys.exit("test.py: --limit needs seconds")
        limit, arguments = int(arguments[1]), arguments[2:]
    command = [
        os.environ.get("SWIFT", "swift"), "test", "--skip-build",
        "--experimental-maximum-parallelization-width", str(AT_ONCE), *arguments,
    ]
    environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
    run = subprocess.Popen(
        # Line by line: what a run printed last is what its end has to do with.
        ["stdbuf", "-oL", *command], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )
    ended = threading.Event()

    def end():
        ended.set()
        os.killpg(run.pid, signal.SIGKILL)

    timer = threading.Timer(limit, end)
    timer.start()
    # As Ctrl-C: the run is in a session of its own, and would go on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    open_tests = {}
    try:
        for line in run.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if event := EVENT.search(line):
                kind, name, what = event.groups()
                step = 1 if what == "started" else -1
                open_tests[kind, name] = open_tests.get((kind, name), 0) + step
        status = run.wait()
    except KeyboardInterrupt:
        return 130
    finally:
        timer.cancel()
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    if not ended.is_set():
        return status if status >= 0 else 128 - status
    print(f"== ended after {limit} s; begun and not ended:")
    for (kind, name), count in sorted(open_tests.items()):
        if count > 0:
            print(f"==   {kind} {name}")
    return 124


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
