"""The regions of source files and how often each was run, from `llvm-cov export`.

Swift gives regions, not branches: each arm of an `if`, `guard`, `switch`, `&&`, `||`, `??` and
`?:` is a region of its own, so a branch never taken is a region never run.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

CODE = 0  # the kind of a region that is neither skipped nor a gap


@dataclass
class Region:
    file: str
    start: tuple  # line and column, from 1
    end: tuple
    source: str  # its first line
    text: str
    by_traffic: int = 0
    by_unit_tests: int = 0

    @property
    def name(self):
        """Stays when lines move."""
        return f"{self.file} | {self.source} | {self.text}"

    def record(self):
        return {"file": self.file, "start": self.start, "end": self.end, "name": self.name,
                "traffic": self.by_traffic, "unitTests": self.by_unit_tests}


def counts(cov, binary, profile, folder):
    """(file, start, end) → times run. What is generic has one region for all types."""
    export = json.loads(subprocess.run(
        [cov, "export", binary, "-instr-profile", profile, folder],
        check=True, capture_output=True).stdout)
    result = {}
    for function in export["data"][0]["functions"]:
        for line, column, end_line, end_column, count, file, _, kind in function["regions"]:
            path = function["filenames"][file]
            if kind == CODE and path.startswith(str(folder)):
                key = (path, (line, column), (end_line, end_column))
                result[key] = result.get(key, 0) + count
    return result


def regions(traffic, unit_tests):
    """Regions by file, in order."""
    result, seen = {}, {}
    for key in sorted(traffic.keys() | unit_tests.keys()):
        path, start, end = key
        lines = Path(path).read_text().split("\n")
        region = Region(Path(path).name, start, end, lines[start[0] - 1].strip(),
                        excerpt(lines, start, end), traffic.get(key, 0), unit_tests.get(key, 0))
        seen[region.name] = seen.get(region.name, 0) + 1
        if seen[region.name] > 1:
            region.text += f" ({seen[region.name]})"
        result.setdefault(region.file, []).append(region)
    return result


def excerpt(lines, start, end):
    """The text of a region on one line, cut short."""
    text = lines[start[0] - 1:end[0]]
    text[-1] = text[-1][:end[1] - 1]
    text[0] = text[0][start[1] - 1:]
    one = " ".join(" ".join(text).split())
    return one if len(one) <= 60 else one[:59] + "…"
