"""The page that answers the question, and the figures of the twin: made of starter.toml and of committed results."""

import json
import re
import statistics
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from workbench.starters import ROOT, Starter, all_starters, count_lines

RESULTS = ROOT / "docs" / "results"
PLANNED = ROOT / "workbench" / "planned.toml"
FEW = 6
SURPRISING = 1.5  # times; less than that surprises nobody
NOTICED = 10.0  # milliseconds; less than that nobody notices
DISTURBED = 1.3  # times; values of one thing that lie further apart were not measured in peace
type Row = dict[str, list[float]]
type Tables = dict[str, dict[str, Row]]


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def number(value: float) -> str:
    """With as many digits as can be read at a glance."""
    return f"{value:,.0f}" if value >= 20 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def middle(values: list[float]) -> tuple[float, float]:
    """Between which values the middle half of them lies; or all, where there are few."""
    if len(values) < FEW:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def apart(some: list[float], others: list[float]) -> bool:
    """Whether one is more than the other beyond the spread: their middle halves do not touch."""
    (low, high), (least, most) = middle(some), middle(others)
    return low > most or least > high


def disturbed(values: list[float]) -> str:
    """A mark, where these were not measured in peace."""
    return "†" if min(values) > 0 and max(values) > DISTURBED * min(values) else ""


def times(rows: Row, more: str, less: str) -> str:
    """How many times as much one is as the other. Raises ValueError when that surprises nobody."""
    ratio = statistics.median(rows[more]) / statistics.median(rows[less])
    if ratio < SURPRISING:
        raise ValueError(f"{more} is only {ratio:.2f} times {less}: what docs/django-or-fastapi.md says is not so")
    return number(ratio)


def unnoticed(rows: Row) -> str:
    """How far all of them are from each other, in milliseconds. Raises ValueError when somebody would notice."""
    medians = [statistics.median(values) for values in rows.values()]
    if max(medians) - min(medians) > NOTICED:
        raise ValueError(f"{rows} are apart: what docs/django-or-fastapi.md says is not so")
    return number(max(medians) - min(medians))


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────

# What surprises, said of what was measured, and the table of results that shows it.
SURPRISES: dict[str, tuple[str, Callable[[Row], str]]] = {
    "hello": (
        "µs of CPU a request",
        lambda rows: (
            "With nothing to do, `def` costs FastAPI "
            f"{times(rows, 'FastAPI, `def`', 'FastAPI, `async def`')} times what `async def` does."
        ),
    ),
    "read": (
        "µs of CPU a request",
        lambda rows: (
            "One row by the usual ORM of each costs FastAPI "
            f"{times(rows, 'FastAPI, `async def`, SQLAlchemy', 'Django, no middleware')} times what it costs Django "
            "without middleware, and "
            f"{times(rows, 'FastAPI, `async def`, SQLAlchemy', 'Django, the seven middlewares of startproject')} with "
            "the usual seven."
        ),
    ),
    "server": (
        "answers a second",
        lambda rows: (
            f"The same Django answers {times(rows, 'Django on granian', 'Django on gunicorn, sync')} times as often on "
            "granian as on gunicorn's sync worker, and "
            f"{times(rows, 'Django on granian', 'Django on uvicorn')} times as often as by ASGI on uvicorn."
        ),
    ),
    "blocking": (
        "answers a second",
        lambda rows: (
            "With one line that blocks, FastAPI gives one answer where it gave "
            f"{times(rows, 'FastAPI, `async def`', 'FastAPI, `async def`, blocked')}, and Django one where it gave "
            f"{times(rows, 'Django, `async def`', 'Django, `async def`, blocked')}."
        ),
    ),
    "rate": (
        "median, ms",
        lambda rows: (
            f"At 200 requests a second, a row of PostgreSQL each, Django and FastAPI are {unnoticed(rows)} ms apart."
        ),
    ),
}


def keep(name: str, command: str, told: str) -> None:
    """What a bench has printed, for the page."""
    RESULTS.mkdir(exist_ok=True)
    # What servers say besides, as PostgreSQL when it is told to end, is no result.
    lines = "\n".join(line.rstrip() for line in told.splitlines() if not re.search(r" FATAL:  |^\[WARNING\]", line))
    (RESULTS / f"{name}.txt").write_text(f"$ {command}\n{lines}\n", encoding="utf-8")


def result(name: str) -> dict[str, Any] | None:
    """What was kept of a measurement; None when there is nothing yet."""
    file = RESULTS / f"{name}.json"
    found: dict[str, Any] | None = json.loads(file.read_text("utf-8")) if file.exists() else None
    return found


def figure(starter: Starter) -> str:
    """The sentence with the number that a starter is shown with; its number is from what its bench has kept."""
    measured = starter.facts.get("measured", {})
    if "twin" in measured:
        if (kept := result("twin")) is None:
            return "not measured yet"
        of, by = measured["twin"]
        row = kept["found"][measured["table"]][measured["row"]]
        ratio = statistics.median(row[of]) / statistics.median(row[by])
        return str(measured["says"].format(number(ratio)))
    file = RESULTS / f"{starter.name}.txt"
    if not measured or not file.exists():
        return "not measured yet"
    found = re.search(measured["where"], file.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise ValueError(f"docs/results/{file.name} has nothing of {measured['where']!r}")
    return str(measured["says"].format(*(re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", each) for each in found.groups())))


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
    for name, facts in tomllib.loads(PLANNED.read_text("utf-8")).items():
        rows[name] = [facts["category"], f"`{name}`, not there yet", facts["why"], "—", first(facts["other"])]
    lines = ["| your job | starter | why | measured | the other one, when |", "|---|---|---|---|---|"]
    for name in sorted(rows):
        category, *rest = rows[name]
        lines.append(f'| <a id="{name}"></a>{category} | ' + " | ".join(rest) + " |")
    return "\n".join(lines)


def ordered(rows: Row) -> str:
    """The rows by their medians, the least first; those whose spreads touch stand together, without an order."""
    medians = sorted(rows, key=lambda name: statistics.median(rows[name]))
    shown = {name: f"{name} **{number(statistics.median(rows[name]))}**{disturbed(rows[name])}" for name in medians}
    said = shown[medians[0]]
    for before, name in pairwise(medians):
        said += f" {'<' if apart(rows[before], rows[name]) else '≈'} {shown[name]}"
    return said


def surprises() -> str:
    """Five results, each by a command that repeats it."""
    lines = ["| what surprises | measured, the least first | again |", "|---|---|---|"]
    for name, (unit, says) in SURPRISES.items():
        anchor, again = f'<a id="{name}"></a>', f"`nox -s surprise -- {name}`"
        if (kept := result(name)) is None:
            lines.append(f"| {anchor}{name}: not measured yet | | {again} |")
            continue
        rows: Row = kept["found"][unit]
        lines.append(
            f"| {anchor}**{says(rows)}** {kept['what']} | {unit}: {ordered(rows)} | {again}, {kept['seconds']} s |"
        )
    return "\n".join(lines)


def where() -> str:
    """The machines and the days of the surprises."""
    found = [kept for name in SURPRISES if (kept := result(name))]
    said = {f"{each['machine']}, Python {each['python']}, {each['date']}" for each in found}
    return "; ".join(sorted(said)) or "nowhere yet"


def page() -> str:
    """docs/django-or-fastapi.md."""
    return f"""---
hide: [navigation, toc]
---

# Django or FastAPI?

<!-- Made by `nox -s lists -- --write` from starter.toml, workbench/planned.toml and docs/results/: change those. -->

Ask what the job is, not which is faster. Find yours:

<div class="cards jobs" markdown>

{jobs()}

</div>

## Five results that surprise

Measured on {where()}; the seconds are those that the command took there, once the packages were
installed. `<` is beyond the spread, `≈` within it; † marks values
that lie further apart than they would on a machine at peace. All are kept in `docs/results/`.

<div class="cards" markdown>

{surprises()}

</div>

The same job done in both, line by line and number by number: [the twin](twin.md). Question by question:
[choose](choose.md).
"""


# ── The twin ────────────────────────────────────────────────────────────────────────────────────────────────────────


def cells(row: Row, names: list[str]) -> list[str]:
    """The median of each, and between which values the middle half lies; marked, where the machine was not at peace."""
    said = []
    for name in names:
        values = row.get(name, [])
        if not values:
            said.append("")
            continue
        low, high = map(number, middle(values))
        mark = disturbed(values)
        spread = f" ({low} to {high}{mark})" if low != high else f" ({mark})" if mark else ""
        said.append(f"{number(statistics.median(values))}{spread}")
    return said


def verdict(row: Row) -> str:
    """FastAPI's median by Django's; nothing within the spread."""
    django, fastapi = row.get("Django", []), row.get("FastAPI", [])
    if not django or not fastapi:
        return ""
    if not apart(django, fastapi) and {*django} != {*fastapi}:
        return "≈"
    return f"{statistics.median(fastapi) / statistics.median(django):.2f}"


def together(found: Tables) -> Tables:
    """What the twin's bench has kept, with all that a request costs in one table, job by job."""
    costs = {name: rows for name, rows in found.items() if name.startswith("CPU of a request")}
    one: dict[str, Row] = {}
    for job in next(iter(costs.values()), {}):
        for table, rows in costs.items():
            how = table.partition("µs, ")[2].partition(":")[0] or "without a server"
            one[f"{job}, {how}"] = {name: rows[job][name] for name in ("Django", "FastAPI")}
            if floors := {
                name: rows[job][f"{name}'s floor"] for name in ("Django", "FastAPI") if f"{name}'s floor" in rows[job]
            }:
                one[f"{job}, psycopg alone"] = floors
    rest = {name: rows for name, rows in found.items() if name not in costs}
    return {"CPU of a request, µs (less is better)": one} | rest


def verdicts() -> str:
    """How many rules of the contract each keeps, as `nox -s twin` has said last."""
    last = (RESULTS / "contract.txt").read_text("utf-8").splitlines()[-1]
    return f"By the contract's suite, `nox -s twin`: {last}. Rule by rule: `docs/results/contract.txt`."


def twin() -> str:
    """The tables of docs/twin.md."""
    if (kept := result("twin")) is None:
        return "Not measured yet."
    versions = ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    said = [f"{verdicts()}\n"] if (RESULTS / "contract.txt").exists() else []
    said += [f'{kept["machine"]}, Python {kept["python"]}, {versions}, {kept["date"]}: `nox -s "bench(twin)"`.']
    for title, rows in (together(kept["found"]) | {"Lines of Python": lines()}).items():
        columns = list(dict.fromkeys(name for row in rows.values() for name in row))
        both = {"Django", "FastAPI"} <= {*columns}
        head = ["what", *columns, *(["FastAPI ÷ Django"] if both else [])]
        said += ["", f"### {title}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
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
            if places[framework] and not files:
                raise ValueError(f"{starter.name} has none of {places[framework]}")
            if files:
                found[feature][framework] = [float(sum(map(count_lines, files)))]
    return found
