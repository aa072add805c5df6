"""Two projects side by side, as one page without a script: their anatomy row by row, then their facts."""

import html
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from workbench.starters import Starter, count_lines

# The same questions have their answers in the same places: what is asked, and where that is in each framework.
STATIC = "app/static/*.css app/static/*.js"
ANATOMY: tuple[tuple[str, dict[str, str]], ...] = (
    ("where are the settings?", {"Django": "config/settings.py", "FastAPI": "app/settings.py"}),
    (
        "where does it start?",
        {"Django": "config/urls.py config/wsgi.py config/asgi.py", "FastAPI": "app/main.py app/asgi.py"},
    ),
    (
        "how do I run anything?",
        {"Django": "config/management/commands/*.py", "FastAPI": "app/__main__.py app/commands.py"},
    ),
    ("is it alive?", {"Django": "config/health.py", "FastAPI": "app/health.py"}),
    ("what does it log?", {"Django": "config/logging.py", "FastAPI": "app/logging.py"}),
    ("what does an error look like?", {"Django": "config/problems.py config/views.py", "FastAPI": "app/problems.py"}),
    ("how does it reach the database?", {"Django": "config/database.py", "FastAPI": "app/database.py"}),
    ("what keeps it safe?", {"Django": "config/security.py", "FastAPI": "app/security.py"}),
    ("what can one do without?", {"Django": "config/extras.py", "FastAPI": "app/extras.py"}),
    ("where are the pages?", {"Django": "templates/**/*.html", "FastAPI": "app/templates/**/*.html"}),
    ("what do they look like, and do?", {"Django": "static/**/*.css static/**/*.js", "FastAPI": STATIC}),
    ("what is in the database?", {"Django": "*/migrations/0*.py", "FastAPI": "app/migrations/versions/*.py"}),
    ("what is tested over all of it?", {"Django": "tests/*.py", "FastAPI": "tests/*.py"}),
    ("how is it built and run?", dict.fromkeys(("Django", "FastAPI"), "pyproject.toml Dockerfile compose.yaml")),
)
PARTS = {
    "tables": "models.py",
    "rules": "services.py log.py",
    "errors": "errors.py",
    "who may": "permissions.py",
    "the face over HTTP": "urls.py views.py serializers.py routes.py schemas.py",
    "work in the background": "tasks.py",
}
REST = ("what else is of no feature?", {"Django": "config/*.py", "FastAPI": "app/*.py"})
NOT_FEATURES = {"config", "tests", "static", "templates", "migrations", "docs", "__pycache__"}
STYLE = Path(__file__).with_suffix(".css").read_text("utf-8")


@dataclass(frozen=True)
class Side:
    """A generated project, and the starter that it comes from."""

    title: str
    starter: Starter
    project: Path

    @property
    def framework(self) -> str:
        return str(self.starter.facts["framework"])

    def files(self, patterns: str, below: str = ".") -> list[Path]:
        """The files of some patterns that are there, in the order of the patterns."""
        return [
            file for each in patterns.split() for file in sorted((self.project / below).glob(each)) if file.is_file()
        ]

    def rest(self) -> list[Path]:
        """The Python files that no question asks for, and that are of no feature."""
        named = {file for _, places in ANATOMY for file in self.files(places[self.framework])}
        files = self.files(REST[1][self.framework])
        return [file for file in files if file not in named and file.read_text("utf-8").strip()]

    def others(self, feature: str, inside: str, but: Mapping[str, str]) -> list[Path]:
        """The Python files of a feature, or of its tests, but for those that answer a question of their own."""
        folder = f"{inside}{feature}" if inside else self.features().get(feature, "")
        if not folder or feature not in self.features():
            return []
        named = set(" ".join(but.values()).split())
        files = self.files("*.py", folder)
        return [file for file in files if file.name not in named and file.read_text("utf-8").strip()]

    def features(self) -> dict[str, str]:
        """The features by name, each with its folder."""
        root = "app" if self.framework == "FastAPI" else "."
        folders = (path for path in sorted((self.project / root).iterdir()) if (path / "__init__.py").exists())
        return {each.name: f"{root}/{each.name}" for each in folders if each.name not in NOT_FEATURES}

    def facts(self) -> dict[str, str]:
        """What one would look up first."""
        project: dict[str, Any] = tomllib.loads((self.project / "pyproject.toml").read_text("utf-8"))["project"]
        python = [file for file in self.project.rglob("*.py") if not {"migrations", ".venv"} & {*file.parts}]
        tests = [file for file in python if "tests" in file.relative_to(self.project).parts]
        facts = self.starter.facts
        return {
            "framework": self.framework,
            "example": str(facts["domain"]),
            "lines of Python, without tests": str(sum(map(count_lines, {*python} - {*tests}))),
            "lines of its tests": str(sum(map(count_lines, tests))),
            "packages": ", ".join(sorted(project["dependencies"])),
            "settings": ", ".join(self._settings()),
            "pages and endpoints": ", ".join(each["path"] for each in [*facts["page"], *facts["endpoint"]]),
            "services": "; ".join(f"{kind}: {', '.join(names)}" for kind, names in facts["services"].items()),
        }

    def _settings(self) -> Iterator[str]:
        """The names in the first column of the README's table of settings."""
        text = (self.project / "README.md").read_text("utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
        for line in text.splitlines():
            if line.startswith("| `"):
                yield line.split("|")[1].strip().replace("`", "")


def page(left: Side, right: Side) -> str:
    """The page: HTML, with everything in it."""
    rows = [row(question, side(left, places), side(right, places)) for question, places in ANATOMY]
    rows.append(row(REST[0], (left, left.rest()), (right, right.rest())))
    ours, theirs = left.features(), right.features()
    for name in sorted({*ours, *theirs}):
        rows.append(f"<h2>{html.escape(name)}</h2>")
        for what, files in PARTS.items():
            found = [
                each.files(files, folder[name]) if name in folder else []
                for each, folder in ((left, ours), (right, theirs))
            ]
            rows.append(row(what, (left, found[0]), (right, found[1])))
        for what, inside, but in (("everything else", "", PARTS), ("its tests", "tests/", {})):
            sides = [(each, each.others(name, inside, but)) for each in (left, right)]
            rows.append(row(what, *sides))
    title = f"{left.title} and {right.title}"
    looked_up = zip(left.facts().items(), right.facts().values(), strict=True)
    facts = "".join(
        f"<tr><th scope=row>{html.escape(name)}</th><td>{html.escape(one)}</td><td>{html.escape(other)}</td></tr>"
        for (name, one), other in looked_up
    )
    names = f"<th scope=col>{html.escape(left.title)}</th><th scope=col>{html.escape(right.title)}</th>"
    style = STYLE + HtmlFormatter(style="default").get_style_defs(".code")  # type: ignore[no-untyped-call]
    hint = "The same questions have their answers in the same places. Open a row to read both."
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title><style>{style}</style></head>
<body><header><h1>{html.escape(title)}</h1><p>{hint}</p></header>
<main><table><tr><th scope=col>what</th>{names}</tr>
{facts}</table><h2>The project</h2>{"".join(rows)}</main></body></html>
"""


def side(of: Side, places: dict[str, str]) -> tuple[Side, list[Path]]:
    return of, of.files(places[of.framework])


def row(question: str, *sides: tuple[Side, list[Path]]) -> str:
    """A question with the files that answer it; nothing where neither side has any."""
    if not any(files for _, files in sides):
        return ""
    heads = "".join(f"<span>{html.escape(question)} <small>{summed(of, files)}</small></span>" for of, files in sides)
    columns = "".join(f"<div>{''.join(listing(of, file) for file in files) or 'Nothing.'}</div>" for of, files in sides)
    return f'<details><summary>{heads}</summary><div class="pair">{columns}</div></details>'


def summed(of: Side, files: list[Path]) -> str:
    names = ", ".join(str(file.relative_to(of.project)) for file in files) or "nothing"
    lines = sum(
        count_lines(file) if file.suffix == ".py" else len(file.read_text("utf-8").split("\n")) for file in files
    )
    return html.escape(f"{names} · {lines} lines" if files else names)


def listing(of: Side, file: Path) -> str:
    """A file with its name, in colours."""
    text = file.read_text("utf-8")
    try:
        shown = highlight(text, get_lexer_for_filename(file.name), HtmlFormatter(cssclass="code"))
    except ClassNotFound:
        shown = f"<pre>{html.escape(text)}</pre>"
    return f"<h3>{html.escape(str(file.relative_to(of.project)))}</h3>{shown}"
