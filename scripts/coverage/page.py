"""One HTML page without anything from elsewhere."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #2a7d4f; --unit: #975a16; --bad: #c53030;
        --soft: #8881; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
h3 { font: 600 .95rem ui-monospace, monospace; margin: 1.4rem 0 .3rem; }
.tiles { display: flex; gap: 1rem; flex-wrap: wrap; margin: 1.2rem 0; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1.1rem; }
.tile b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(29rem, 1fr)); gap: 0 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .22rem .5rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.zero { opacity: .45; }
th { font-weight: 600; }
.mark { width: 1.2rem; font-weight: 700; }
.good { color: var(--good); } .unit { color: var(--unit); } .bad { color: var(--bad); }
.why { font-size: .9em; }
pre { background: var(--soft); border-radius: 6px; padding: .5rem .7rem; overflow-x: auto;
      font: 12.5px/1.5 ui-monospace, monospace; margin: .2rem 0 .3rem; }
pre i { font-style: normal; opacity: .5; user-select: none; }
mark, mark.unit, mark.bad { background: #f6ad5555; color: inherit; border-radius: 3px; }
mark.bad { background: #f5656555; color: inherit; }
"""
AROUND = 1  # lines shown before and after a region
LONGEST = 12  # lines shown of one


def page(report, model):
    """The page; `model` is the folder with the sources."""
    count, traffic, unit, never = report.sums(report.regions())
    reached = sum(row["fixtures"] + row["fuzz"] > 0 for row in report.pipeline)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'><title>Coverage of k8s_dp</title>",
        f"<style>{STYLE}</style><h1>Coverage of k8s_dp</h1>",
        "<p>Traffic is every fixture and a fuzz run of fixed seeds.</p><div class=tiles>",
        tile(f"{reached} of {len(report.pipeline)}", "actions, outcomes and drop reasons reached"),
        tile(f"{traffic} of {count}", "regions of the model run by traffic"),
        tile(unit, "run by unit tests only, with a reason"),
        tile(never, "not reachable, with a reason"),
        tile(len(report.problems), "problems", "bad" if report.problems else "good"), "</div>"]
    if report.problems:
        parts.append("<h2 class=bad>Problems</h2><ul>")
        parts += [f"<li>{escape(problem)}" for problem in report.problems]
        parts.append("</ul>")
    parts.append("<h2>The pipeline: how often each happened</h2><div class=grid>")
    parts += [section(title, rows) for title, rows in report.sections().items()]
    parts.append("</div><h2>The model: regions of its source</h2>"
                 "<p>Swift gives regions, not branches: each arm of an <code>if</code>, "
                 "<code>guard</code>, <code>switch</code>, <code>&amp;&amp;</code>, "
                 "<code>||</code>, <code>??</code> and <code>?:</code> is one.</p>")
    parts.append(files(report))
    parts.append("<h2>Regions that traffic does not run</h2>")
    for file, regions in report.files.items():
        missed = [region for region in regions if not region.by_traffic]
        if missed:
            lines = (model / file).read_text().split("\n")
            parts.append(f"<h3 id='{escape(file)}'>{escape(file)}</h3>")
            parts += [excerpt(report, region, lines) for region in missed]
    return "\n".join(parts) + "\n"


def tile(number, what, style=""):
    return f"<div class='tile {style}'><b>{number}</b>{what}</div>"


def number(value):
    return f"<td class='n{'' if value else ' zero'}'>{value:,}</td>"


def section(title, rows):
    lines = [f"<div><h3>{escape(title)}</h3><table><tr><th class=mark><th>"
             "<th class=n>fixtures<th class=n>fuzz</tr>"]
    for label, row in rows:
        reached, why = row["fixtures"] + row["fuzz"] > 0, row.get("unreachable")
        if reached == (why is None):
            mark = "<td class='mark good'>✓</td>" if reached else "<td class='mark unit'>–</td>"
        else:
            mark = "<td class='mark bad'>✗</td>"
        text = escape(label) + (f"<div class=why>not reachable: {escape(why)}</div>" if why else "")
        lines.append(f"<tr>{mark}<td>{text}</td>{number(row['fixtures'])}{number(row['fuzz'])}</tr>")
    return "\n".join(lines) + "</table></div>"


def files(report):
    lines = ["<table><tr><th>File<th class=n>regions<th class=n>by traffic"
             "<th class=n>by unit tests only<th class=n>never</tr>"]
    for file, regions in [*report.files.items(), ("all", report.regions())]:
        sums = report.sums(regions)
        name = escape(file)
        if sums[0] > sums[1] and file != "all":
            name = f"<a href='#{name}'>{name}</a>"
        lines.append(f"<tr><td>{name}</td>" + "".join(number(n) for n in sums) + "</tr>")
    return "\n".join(lines) + "</table>"


def excerpt(report, region, lines):
    """The source around a region, with the region marked."""
    (first, column), (last, end) = region.start, region.end
    why = report.reason(region)
    style = "unit" if why else "bad"
    shown = []
    for line in range(max(1, first - AROUND), min(len(lines), last + AROUND) + 1):
        if line - first > LONGEST:
            shown.append("<i>   …</i>")
            break
        text = lines[line - 1]
        if first <= line <= last:
            start = column - 1 if line == first else len(text) - len(text.lstrip())
            stop = end - 1 if line == last else len(text)
            text = (escape(text[:start]) + f"<mark class={style}>{escape(text[start:stop])}</mark>"
                    + escape(text[stop:]))
        else:
            text = escape(text)
        shown.append(f"<i>{line:4} </i>{text}")
    by = "by unit tests only" if region.by_unit_tests else "never"
    return (f"<pre>{chr(10).join(shown)}</pre>"
            f"<div class='why {style}'>{by}: {escape(why or 'no reason is given')}</div>")
