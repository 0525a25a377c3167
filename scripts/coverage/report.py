"""What was reached, what was not, and whether that is as the list of reasons says."""

import json
from dataclasses import dataclass, field

KINDS = ("pipeline", "model", "unit tests")


def reasons(path):
    """kind → item → reason: `# reason` lines head the `kind | item` lines below them."""
    result = {kind: {} for kind in KINDS}
    reason = ""
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            reason = line[2:]
        elif line:
            kind, item = line.split(" | ", 1)
            result[kind][item] = reason
    return result


@dataclass
class Report:
    """`pipeline` has a row an item with what fixtures and fuzzing counted, `files` the regions
    of each file of the model."""

    pipeline: list
    files: dict
    reasons_file: object
    problems: list = field(default_factory=list)

    def __post_init__(self):
        self.reasons = reasons(self.reasons_file)
        self.check_pipeline()
        self.check_model()

    def check_pipeline(self):
        listed = self.reasons["pipeline"]
        for row in self.pipeline:
            self.compare(row["item"], row["fixtures"] + row["fuzz"] > 0, row["item"] in listed)
        self.unknown(listed, {row["item"] for row in self.pipeline})

    def check_model(self):
        never, unit = self.reasons["model"], self.reasons["unit tests"]
        for region in self.regions():
            if region.name in unit:
                self.compare(region.name, region.by_traffic > 0, True)
                if not region.by_unit_tests:
                    self.problems.append(f"not reached by unit tests either: {region.name}")
            else:
                reached = region.by_traffic > 0
                if region.name in never:
                    reached |= region.by_unit_tests > 0
                self.compare(region.name, reached, region.name in never)
        self.unknown(never | unit, {region.name for region in self.regions()})

    def compare(self, name, is_reached, is_listed):
        if is_reached and is_listed:
            self.problems.append(f"listed as not reachable, but reached: {name}")
        elif not is_reached and not is_listed:
            self.problems.append(f"not reached: {name}")

    def unknown(self, listed, names):
        self.problems += [f"listed, but there is no such thing: {name}"
                          for name in listed if name not in names]

    def regions(self):
        return [region for regions in self.files.values() for region in regions]

    def reason(self, region):
        return self.reasons["model"].get(region.name) or self.reasons["unit tests"].get(region.name)

    def sums(self, regions):
        """All, reached by traffic, only by unit tests, never."""
        traffic = sum(region.by_traffic > 0 for region in regions)
        unit = sum(not region.by_traffic and region.by_unit_tests > 0 for region in regions)
        return len(regions), traffic, unit, len(regions) - traffic - unit

    def sections(self):
        """Title → rows of the pipeline; a row's label is what is left of its item."""
        result = {}
        for row in self.pipeline:
            kind, rest = row["item"].split(" ", 1)
            if kind == "drop":
                title, label = "Drop reasons", rest
            else:
                name, label = rest.split(" ", 1)
                title = f"{kind.capitalize()} {name}"
            result.setdefault(title, []).append((label, row))
        return result

    def json(self):
        return json.dumps({
            "problems": self.problems, "pipeline": self.pipeline,
            "regions": [region.record() | {"reason": self.reason(region)}
                        for region in self.regions()]}, indent=1)

    def text(self):
        lines = []
        for title, rows in self.sections().items():
            lines += [f"{title:44}{'fixtures':>12}{'fuzz':>12}"]
            for label, row in rows:
                why = row.get("unreachable")
                lines.append(f"  {label:42}{row['fixtures']:12,}{row['fuzz']:12,}"
                             + (f"   not reachable: {why}" if why else ""))
            lines.append("")
        lines.append(f"{'Model, regions':44}{'all':>8}{'traffic':>10}{'unit only':>11}{'never':>8}")
        for file, regions in [*self.files.items(), ("all", self.regions())]:
            count, traffic, unit, never = self.sums(regions)
            lines.append(f"  {file:42}{count:8}{traffic:10}{unit:11}{never:8}")
        lines += ["", "Regions without traffic"]
        for region in self.regions():
            if not region.by_traffic:
                by = "unit tests" if region.by_unit_tests else "never"
                lines.append(f"  {region.file}:{region.start[0]}: {region.text}")
                lines.append(f"      {by}: {self.reason(region) or 'NO REASON'}")
        lines += [""] * bool(self.problems) + self.problems
        return "\n".join(lines) + "\n"
