"""What starters there are, and every list that is made of them: each fact stands in one `starter.toml` only."""

import ast
import io
import json
import tokenize
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
COMMON = ROOT / "common"
CONTRACTS = ROOT / "contracts"
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

    @property
    def production(self) -> dict[str, str]:
        """Settings that production demands besides those of all starters."""
        settings: dict[str, str] = self.facts.get("production", {})
        return settings

    def lines(self, *, without: Sequence[Path] = ()) -> int:
        """Lines of code in Python, without tests and migrations."""
        files = [file for package in self.facts["core"]["packages"] for file in (self.project / package).rglob("*.py")]
        return sum(
            count_lines(file)
            for file in files
            if "migrations" not in file.parts and not any(file.is_relative_to(folder) for folder in without)
        )

    def lines_of(self, extra: Mapping[str, Any]) -> int:
        """Lines of code in Python of an extra, without its tests."""
        folders = [self.project / folder for folder in extra["folders"]]
        return self.lines() - self.lines(without=folders)

    def common_lines(self) -> int:
        """Lines of code in Python of the core that every starter of the framework has word for word."""
        groups = ("all", self.facts["framework"].lower())
        core = self.facts["core"]
        gone = {Path(path).name for path in [*core.get("moved", {}), *core.get("without", [])]}  # no longer the core's
        sources = [file for group in groups for file in (COMMON / group).rglob("*.py") if file.name not in gone]
        return sum(count_lines(file) for file in sources if not {"tests", "migrations"} & {*file.parts})

    def core_lines(self) -> int:
        """Lines of code in Python, without tests, migrations and extras."""
        extras = [self.project / folder for extra in self.facts["extra"] for folder in extra["folders"]]
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


def table(where: str) -> str:
    """The starters, as a table; `where` is the folder of their pages, seen from the page that it is on."""
    rows = ["| your project | starter | what you get |", "|---|---|---|"]
    for starter in all_starters():
        facts = starter.facts
        rows.append(f"| {facts['category']} | [`{starter.name}`]({where}/{starter.name}.md) | {facts['line']} |")
    return "\n".join(rows)


def choice() -> str:
    """What one asks oneself about a project, and where the answer leads."""
    parts = []
    for starter in all_starters():
        facts = starter.facts
        parts.append(f"""## {facts["question"]}

Yes: [`{starter.name}`](starters/{starter.name}.md), on {facts["framework"]}. {facts["why"]}

**When the other one:** {facts["other"]}
""")
    return "\n".join(parts).strip()


def sessions() -> str:
    """What nox can do here, by the sessions of noxfile.py."""
    rows = ["| session | what it does |", "|---|---|"]
    for node in ast.parse((ROOT / "noxfile.py").read_text("utf-8")).body:
        marks = " ".join(map(ast.unparse, node.decorator_list)) if isinstance(node, ast.FunctionDef) else ""
        if isinstance(node, ast.FunctionDef) and "nox.session" in marks:
            name = node.name.rstrip("_") + ("(…)" if "one_starter" in marks else "")
            what = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            rows.append(f"| `{name}` | {what} |")
    return "\n".join(rows)


def facts_page(starter: Starter) -> str:
    """The part of `docs/starters/<name>.md` that is known from starter.toml and from the code."""
    facts = starter.facts
    services = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in facts["services"].items())
    rows = [
        ("example domain", facts["domain"]),
        ("services", services),
        ("see it", f"`{facts['commands']['demo']}`"),
        ("test it", ", ".join(f"`{command}`" for command in facts["commands"]["test"])),
    ]
    core = f"what it is about; at most {facts['core']['budget']} lines. "
    core += f"{starter.common_lines()} of them are the same in each starter on {facts['framework']}"
    return "\n".join(
        [
            f"| framework | {facts['framework']} |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
            "",
            f"**Why {facts['framework']}:** {facts['why']}",
            "",
            f"**When the other one:** {facts['other']}",
            "",
            "| part | lines of Python | what it is |",
            "|---|---|---|",
            f"| **core** | {starter.core_lines()} | {core} |",
            *(f"| `{extra['name']}` | {starter.lines_of(extra)} | {extra['line']} |" for extra in facts["extra"]),
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
    from workbench import answer  # noqa: PLC0415  it stands on this module

    docs = ROOT / "docs"
    files = {ROOT / "cookiecutter.json": menu(), docs / "django-or-fastapi.md": answer.page()}
    pages = {ROOT / "README.md": table("docs/starters"), docs / "index.md": table("starters")}
    pages |= {docs / "twin.md": answer.twin(), docs / "choose.md": choice(), docs / "reference" / "nox.md": sessions()}
    pages |= {docs / "starters" / f"{starter.name}.md": facts_page(starter) for starter in all_starters()}
    return files | {page: with_block(page.read_text("utf-8"), block) for page, block in pages.items()}


def common_files() -> dict[Path, Path]:
    """The files that starters carry word for word: each copy, and the one that it is a copy of.

    What only an extra needs is in its folder, where `moved` in starter.toml says; what nobody needs is in `without`.
    """
    copies = {}
    for starter in all_starters():
        moved, without = starter.facts["core"].get("moved", {}), starter.facts["core"].get("without", [])
        for group in ("all", starter.facts["framework"].lower()):
            for source in (COMMON / group).rglob("*"):
                if source.is_file() and source.suffix != ".pyc":
                    path = source.relative_to(COMMON / group)
                    if path.as_posix() in without:
                        continue
                    copies[starter.project / moved.get(path.as_posix(), path)] = source
        for source in (COMMON / "hooks").glob("*.py"):
            copies[starter.folder / "hooks" / source.name] = source
        copies |= contract_files(starter)
    return copies


def contract_files(starter: Starter) -> dict[Path, Path]:
    """The contract that a starter keeps, and the suite that judges it, for its `tests/contract/`."""
    if "contract" not in starter.facts:
        return {}
    folder, parts = CONTRACTS / starter.facts["contract"]["name"], starter.facts["contract"]["parts"]
    sources = [folder / f"{part}.yaml" for part in parts] + [
        file for file in (folder / "suite").glob("*.py") if "full" in parts or not file.name.startswith("test_full_")
    ]
    return {starter.project / "tests" / "contract" / source.name: source for source in sources}
