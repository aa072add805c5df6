"""What starters there are, and every list that is made of them: each fact stands in one `starter.toml` only."""

import io
import json
import tokenize
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
COMMON = ROOT / "common"
PROJECT_FOLDER = "{{cookiecutter.project_slug}}"
BEGIN, END = "<!-- starters: begin, made by `nox -s lists -- --write` -->", "<!-- starters: end -->"


@dataclass(frozen=True)
class Starter:
    """A folder of `templates/`, and what its starter.toml says."""

    name: str
    facts: dict[str, Any]

    @property
    def folder(self) -> Path:
        return TEMPLATES / self.name

    @property
    def project(self) -> Path:
        """The project itself, as it is before it gets a name."""
        return self.folder / PROJECT_FOLDER

    @property
    def commands(self) -> dict[str, Any]:
        commands: dict[str, Any] = self.facts["commands"]
        return commands

    def lines(self, *, without: Sequence[Path] = ()) -> int:
        """Lines of code in Python, without tests and migrations."""
        files = [file for package in self.facts["core"]["packages"] for file in (self.project / package).rglob("*.py")]
        return sum(
            count_lines(file)
            for file in files
            if "migrations" not in file.parts and not any(file.is_relative_to(folder) for folder in without)
        )

    def core_lines(self) -> int:
        """Lines of code in Python, without tests, migrations and extras."""
        extras = [self.project / folder for extra in self.facts.get("extra", []) for folder in extra["folders"]]
        return self.lines(without=extras)


def count_lines(file: Path) -> int:
    """The lines of a file that have code on them: not blank, not a comment, not a docstring.

    By tokens, since the Python that runs this may be older than the syntax of the file.
    """
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
        if token.type not in layout:
            statement.append(token)
        elif token.type == tokenize.NEWLINE:
            if [each.type for each in statement] != [tokenize.STRING]:
                lines.update(line for each in statement for line in range(each.start[0], each.end[0] + 1))
            statement = []
    return len(lines)


def all_starters() -> list[Starter]:
    """The starters, by name. Raises ValidationError when a starter.toml is not of the schema."""
    schema = json.loads((ROOT / "starter.schema.json").read_text("utf-8"))
    starters = []
    for file in sorted(TEMPLATES.glob("*/starter.toml")):
        facts = tomllib.loads(file.read_text("utf-8"))
        jsonschema.validate(facts, schema)
        starters.append(Starter(file.parent.name, facts))
    return starters


def menu() -> str:
    """The root cookiecutter.json: the menu for `cookiecutter <this repository>`."""
    entries = {
        starter.name: {
            "path": f"./templates/{starter.name}",
            "title": f"{starter.facts['title']} ({starter.facts['framework']})",
            "description": starter.facts["line"],
        }
        for starter in all_starters()
    }
    return json.dumps({"templates": entries}, indent=2, ensure_ascii=False) + "\n"


def table() -> str:
    """The table of the README."""
    rows = ["| your project | starter | what you get |", "|---|---|---|"]
    for starter in all_starters():
        facts = starter.facts
        rows.append(f"| {facts['category']} | [`{starter.name}`](docs/starters/{starter.name}.md) | {facts['line']} |")
    return "\n".join(rows)


def facts_page(starter: Starter) -> str:
    """The part of `docs/starters/<name>.md` that is known from starter.toml and from the code."""
    facts = starter.facts
    services = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in facts["services"].items())
    rows = [
        ("framework", facts["framework"]),
        ("example domain", facts["domain"]),
        ("services", services),
        ("lines of Python in the core", f"{starter.core_lines()} (at most {facts['core']['budget']})"),
        ("extras", ", ".join(f"`{extra['name']}`" for extra in facts.get("extra", [])) or "none yet"),
        ("see it", f"`{facts['commands']['demo']}`"),
        ("test it", ", ".join(f"`{command}`" for command in facts["commands"]["test"])),
    ]
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
            "",
            f"**Why {facts['framework']}:** {facts['why']}",
            "",
            f"**When the other one:** {facts['other']}",
        ]
    )


def with_block(text: str, block: str) -> str:
    """A page with the block between its marks replaced."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"the marks {BEGIN!r} and {END!r} are missing")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def generated_files() -> dict[Path, str]:
    """Every file that is made from starter.toml, as it should be."""
    files = {ROOT / "cookiecutter.json": menu()}
    pages = {ROOT / "README.md": table()}
    pages |= {ROOT / "docs" / "starters" / f"{starter.name}.md": facts_page(starter) for starter in all_starters()}
    return files | {page: with_block(page.read_text("utf-8"), block) for page, block in pages.items()}


def common_files() -> dict[Path, Path]:
    """The files that starters carry word for word: each copy, and the one that it is a copy of."""
    copies = {}
    for starter in all_starters():
        for group in ("all", starter.facts["framework"].lower()):
            for source in (COMMON / group).rglob("*"):
                if source.is_file():
                    copies[starter.project / source.relative_to(COMMON / group)] = source
        for source in (COMMON / "hooks").glob("*.py"):
            copies[starter.folder / "hooks" / source.name] = source
    return copies
