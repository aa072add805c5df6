"""The site: docs/, with code and sections of generated projects put in where a page asks for them.

A page asks by a comment on a line of its own:

    <!-- include: fastapi-realtime/app/problems.py:Problem -->     a class, a function or a value, as far to the right
    <!-- include: fastapi-realtime/README.md -->                   a page, its headings one level lower
    <!-- include: */README.md#Settings -->                         a section, of every starter
"""

import ast
import re
import shutil
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from workbench.recipes import below
from workbench.release import latest
from workbench.starters import ROOT

INCLUDE = re.compile(r"^( *)<!-- include: (\*|[\w-]+)/([^\s:#]+)(?::(\w+)|#([^>]+))? -->$", re.MULTILINE)
ALSO = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md"}  # pages that lie elsewhere
LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml", ".html": "html", ".js": "javascript"}


class StalePageError(Exception):
    """A page asks for what is not there."""


def write(folder: Path, projects: Mapping[str, Path]) -> None:
    """Write what the site is built from into an empty folder. Raises StalePageError."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    for source, place in ALSO.items():
        shutil.copyfile(ROOT / source, folder / "docs" / place)
    for page in sorted((folder / "docs").rglob("*.md")):
        name = page.relative_to(folder / "docs").as_posix()
        origin = next((ROOT / source for source, also in ALSO.items() if also == name), ROOT / "docs" / name)
        try:
            text = INCLUDE.sub(included(projects), linked(page.read_text("utf-8"), origin, name))
        except (KeyError, OSError) as error:
            raise StalePageError(f"docs/{name} asks for what is not there: {error}") from error
        page.write_text(text, encoding="utf-8")
    pages = ", ".join(f'"starters/{name}.md"' for name in projects)
    config = (ROOT / "zensical.toml").read_text("utf-8").replace('"Starters" = []', f'"Starters" = [{pages}]')
    config = config.replace("Unreleased", f"Version {latest(ROOT / 'CHANGELOG.md') or 'unreleased'}")
    (folder / "zensical.toml").write_text(config, encoding="utf-8")


def included(projects: Mapping[str, Path]) -> Callable[[re.Match[str]], str]:
    """What stands in the place of a comment that asks for something."""

    def text(found: re.Match[str]) -> str:
        indent, name, file, symbol, heading = found.groups()
        if name == "*":
            parts = {each: below(heading, (project / file).read_text("utf-8")) for each, project in projects.items()}
            return "\n".join(f"## {each}\n{part}" for each, part in parts.items())
        path = projects[name] / file
        if symbol:
            block = f'```{LANGUAGES[path.suffix]} title="{file}"\n{code(path, symbol)}\n```'
            return textwrap.indent(block, indent)
        page = path.read_text("utf-8")
        return below(heading, page) if heading else lower(page.partition("\n## ")[2])

    return text


def code(file: Path, symbol: str) -> str:
    """A class, a function or a value of a file, with what decorates it. Raises KeyError."""
    source = file.read_text("utf-8")
    for node in ast.parse(source).body:
        named = [getattr(node, "name", None), getattr(node, "target", None), *getattr(node, "targets", [])]
        if symbol in [each if isinstance(each, str) else getattr(each, "id", None) for each in named]:
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    raise KeyError(symbol)


def lower(text: str) -> str:
    """A page whose first heading has lost its marks, with all headings one level lower, but for what is code."""
    parts = re.split(r"(^```.*?^```$)", f"## {text}", flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [re.sub(r"^(#+ )", r"#\1", part, flags=re.MULTILINE) for part in parts[::2]]
    return "".join(parts)


def linked(text: str, origin: Path, name: str) -> str:
    """A page with links to pages that the site has elsewhere; a link to what it has not is only its words."""

    def link(found: re.Match[str]) -> str:
        words, target = found.groups()
        path, mark, anchor = target.partition("#")
        if "://" in target or not path:
            return found[0]
        whither = (origin.parent / path).resolve()
        up = "../" * name.count("/")
        if whither.is_relative_to(ROOT / "docs"):
            return f"[{words}]({up}{whither.relative_to(ROOT / 'docs').as_posix()}{mark}{anchor})"
        also = ALSO.get(whither.relative_to(ROOT).as_posix()) if whither.is_relative_to(ROOT) else None
        return f"[{words}]({up}{also}{mark}{anchor})" if also else words

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", link, text)


def finish(folder: Path) -> None:
    """Let the pages that were built take everything from their own folder, so that search works without a server."""
    for page in folder.rglob("*.html"):
        up = "../" * len(page.relative_to(folder).parents[:-1])
        text = page.read_text("utf-8").replace("https://unpkg.com/iframe-worker/shim", f"{up}iframe-worker.js")
        page.write_text(text, encoding="utf-8")
