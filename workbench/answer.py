"""The page that answers the question, and the figures of the twin: made of starter.toml and of committed results."""

import json
import re
import statistics
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

from workbench.starters import ROOT, Starter, all_starters, count_lines

RESULTS = ROOT / "docs" / "results"
SURPRISES = {
    "hello": ("A word as JSON", "µs of CPU a request"),
    "read": ("A row of PostgreSQL by its key", "µs of CPU a request"),
    "server": ("The server below", "answers a second"),
    "blocking": ("A wait of 100 ms, and one line that blocks", "answers a second"),
    "rate": ("200 requests a second, each a row of PostgreSQL", "median, ms"),
}
type Row = dict[str, list[float]]


def keep(name: str, command: str, told: str) -> None:
    """What a bench has printed, for the page."""
    RESULTS.mkdir(exist_ok=True)
    # Of PostgreSQL's own words that it is told to end, nothing is kept.
    lines = "\n".join(line.rstrip() for line in told.splitlines() if " FATAL:  " not in line)
    (RESULTS / f"{name}.txt").write_text(f"$ {command}\n{lines}\n", encoding="utf-8")


def figure(starter: Starter) -> str:
    """The sentence with the number that a starter is shown with; its number is from what its bench has printed."""
    file, measured = RESULTS / f"{starter.name}.txt", starter.facts.get("measured")
    if not measured or not file.exists():
        return "not measured yet"
    found = re.search(measured["where"], file.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"docs/results/{file.name} has nothing of {measured['where']!r}")
    return str(measured["says"].format(*found.groups()))


def first(sentence: str) -> str:
    """Up to its first full stop, and without what follows from it: a table has little room."""
    return re.split(r"\.(?:\s|$)|: (?:then|that)\b", sentence)[0] + "."


def jobs() -> str:
    """A row for each job, those included whose starter is not there yet."""
    rows = {}
    for starter in all_starters():
        facts = starter.facts
        other = facts["other"].partition(", when ")[2]
        link = f"[`{starter.name}`](starters/{starter.name}.md)"
        rows[starter.name] = [facts["category"], link, first(facts["why"]), figure(starter), first(other)]
    for name, facts in tomllib.loads((ROOT / "docs" / "planned.toml").read_text("utf-8")).items():
        if name not in rows:
            rows[name] = [facts["category"], f"`{name}` (not there yet)", facts["why"], "", first(facts["other"])]
    lines = ["| your job | starter | why | measured | the other one, when |", "|---|---|---|---|---|"]
    for name in sorted(rows):
        category, *rest = rows[name]
        lines.append(f'| <a id="{name}"></a>{category} | ' + " | ".join(rest) + " |")
    return "\n".join(lines)


def number(value: float) -> str:
    """With as many digits as can be read at a glance."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def ordered(rows: Row) -> str:
    """The rows by their medians, the least first; those whose spreads touch stand together, without an order."""
    medians = sorted(rows, key=lambda name: statistics.median(rows[name]))
    said = f"{medians[0]} **{number(statistics.median(rows[medians[0]]))}**"
    for before, name in pairwise(medians):
        sign = "≈" if max(rows[before]) >= min(rows[name]) else "<"
        said += f" {sign} {name} **{number(statistics.median(rows[name]))}**"
    return said


def surprises() -> str:
    """Five results, each by a command that repeats it."""
    lines = ["| what | measured, the least first; ≈ is no difference | again |", "|---|---|---|"]
    for name, (title, unit) in SURPRISES.items():
        file = RESULTS / f"{name}.json"
        if not file.exists():
            lines.append(f"| {title} | not measured yet | `nox -s surprise -- {name}` |")
            continue
        rows: Row = json.loads(file.read_text("utf-8"))["found"][unit]
        lines.append(f"| {title}: {unit} | {ordered(rows)} | `nox -s surprise -- {name}` |")
    return "\n".join(lines)


def where(names: list[str]) -> str:
    """The machines and the days of these results."""
    found = [
        json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
        for name in names
        if (RESULTS / f"{name}.json").exists()
    ]
    said = {f"{each['machine']}, Python {each['python']}, {each['date']}" for each in found}
    return "; ".join(sorted(said)) or "nowhere yet"


def page() -> str:
    """docs/django-or-fastapi.md."""
    return f"""---
hide: [navigation, toc]
---

# Django or FastAPI?

<!-- Made by `nox -s lists -- --write` from starter.toml, docs/planned.toml and docs/results/: change those. -->

Ask what the job is, not which is faster. Find yours:

{jobs()}

## Five results that surprise

Each command takes less than a minute on your machine. All values are kept in `docs/results/`. Measured on
{where(list(SURPRISES))}.

{surprises()}

The same job done in both, line by line and number by number: [the twin](twin.md). Question by question:
[choose](choose.md).
"""


def cells(row: Row, names: list[str]) -> list[str]:
    """The median of each, with the least and the most of it."""
    said = []
    for name in names:
        values = row.get(name, [])
        spread = f" ({number(min(values))} to {number(max(values))})" if len(values) > 1 else ""
        said.append(f"{number(statistics.median(values))}{spread}" if values else "")
    return said


def verdict(row: Row) -> str:
    """FastAPI's median by Django's; nothing where their spreads touch."""
    django, fastapi = row.get("Django", []), row.get("FastAPI", [])
    if not django or not fastapi:
        return ""
    if max(django) >= min(fastapi) and max(fastapi) >= min(django) and {*django} != {*fastapi}:
        return "no difference"
    return f"{statistics.median(fastapi) / statistics.median(django):.2f}"


def twin() -> str:
    """The tables of docs/twin.md."""
    file = RESULTS / "twin.json"
    if not file.exists():
        return "Not measured yet."
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    said = [f'{kept["machine"]}, Python {kept["python"]}, {kept["date"]}: `nox -s "bench(twin)"`.']
    said.append("The median of each, with the least and the most of it; where these touch, there is no difference.")
    if kept["noisy"]:
        said.append(f"The machine did something else during: {', '.join(kept['noisy'])}.")
    for title, rows in (kept["found"] | {"Lines of Python": lines()}).items():
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        both = {"Django", "FastAPI"} <= {*columns}
        head = ["what", *columns, *(["FastAPI ÷ Django"] if both else [])]
        said += ["", f"**{title}**", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for name, row in rows.items():
            tail = [verdict(row)] if both else []
            said.append("| " + " | ".join([name, *cells(row, columns), *tail]) + " |")
    return "\n".join(said)


def lines() -> dict[str, Row]:
    """Lines of code by feature, counted in the templates."""
    starters = {each.facts["framework"]: each for each in all_starters() if "contract" in each.facts}
    found: dict[str, Row] = {}
    for feature, places in json.loads((ROOT / "proofs" / "twin" / "features.json").read_text("utf-8")).items():
        found[feature] = {}
        for framework, starter in starters.items():
            files: set[Path] = {file for place in places[framework] for file in starter.project.glob(place)}
            files = {file for file in files if not {"tests", "migrations"} & {*file.parts}}
            if not files:
                raise ValueError(f"{starter.name} has none of {places[framework]}")
            found[feature][framework] = [float(sum(map(count_lines, files)))]
    return found
