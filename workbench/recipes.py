"""What a project's README says one can do with it, carried out word by word: the lesson, stripping, renaming."""

import json
import re
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

from workbench.machine import GIT, environment
from workbench.real import WrongError
from workbench.starters import Starter

EXAMPLES = ("compose.yaml", ".env.example")  # where the settings of an extra are set
# Of the same length, so that lines keep theirs.
OTHER_WORDS = {4: "desk", 5: "board", 6: "folder", 7: "project", 8: "newsroom"}


def section(project: Path, heading: str) -> str:
    """The text below a heading of the project's README. Raises KeyError when there is none."""
    return below(heading, (project / "README.md").read_text("utf-8"))


def below(heading: str, text: str) -> str:
    """The text below a heading of a page. Raises KeyError when there is none."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise KeyError(heading)
    return found.group(1)


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a section: their language and what is in them."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def item(text: str, about: str) -> str:
    """The item of a numbered list that has these words. Raises KeyError when there is none."""
    for found in re.findall(r"^\d+\. (.*?)(?=^\d+\. |\Z)", text, re.MULTILINE | re.DOTALL):
        if about in found:
            return re.sub(r"\s+", " ", found)
    raise KeyError(about)


def commands(text: str) -> list[str]:
    """The commands that a sentence names."""
    return re.findall(r"`(uv run [^`]+)`", text)


def apply(project: Path, patch: str) -> None:
    """Apply a patch of the README. Raises WrongError."""
    # Without a repository above it git would take the paths for those of this checkout, and do nothing.
    for command in ["init", "--quiet"], ["apply", "--unidiff-zero", "-"]:
        done = subprocess.run(
            [*GIT, *command], cwd=project, env=environment(), input=patch, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise WrongError(f"the README's patch does not apply:\n{patch}\n{done.stderr}")


def chosen(starter: Starter, names: Collection[str]) -> list[dict[str, Any]]:
    """The extras of these names; all when there are none."""
    return [extra for extra in starter.facts["extra"] if extra["name"] in names or not names]


def strip(starter: Starter, project: Path, names: Collection[str] = ()) -> None:
    """Delete extras, all unless they are named: their folders, and the lines that name them where they are wired in."""
    for extra in chosen(starter, names):
        for folder in extra["folders"]:
            shutil.rmtree(project / folder)
        name = re.escape(extra["name"])
        names_it = re.compile(rf'"app\.{name}"|^\s*"{name}",|# {name}$|^!{name}$')
        for wired in extra["wiring"]:
            without_lines(project / wired, names_it)
        if extra["settings"]:
            sets_it = re.compile(rf"^[# ]*({'|'.join(extra['settings'])})[:=]")
            for file in EXAMPLES:
                without_lines(project / file, sets_it)


def without_lines(file: Path, pattern: re.Pattern[str]) -> None:
    """Take the lines out of a file that have this in them."""
    kept = [line for line in file.read_text("utf-8").splitlines() if not pattern.search(line)]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")


def traces(starter: Starter, project: Path, names: Collection[str] = ()) -> list[str]:
    """Where an extra is still spoken of: its modules, its files, its packages."""
    words = []
    for extra in chosen(starter, names):
        modules = [folder.replace("/", ".") for folder in extra["folders"]]
        words += [*modules, *(f"{folder}/" for folder in extra["folders"]), *extra["packages"], *extra["settings"]]
    if not words:
        return []
    names_it = re.compile("|".join(rf"(?<![\w.-]){re.escape(word)}(?![\w-])" for word in words))
    found = []
    for file in texts(starter, project):
        found += [f"{file.relative_to(project)} names {word}" for word in names_it.findall(file.read_text("utf-8"))]
    return found


def texts(starter: Starter, project: Path) -> list[Path]:
    """The files that the project's own code consists of, and that name it."""
    tops = [*starter.facts["core"]["packages"], "config", "docs", "static", "templates", "tests", "manage.py"]
    places = [project / top for top in {*tops, "pyproject.toml", *EXAMPLES, "Dockerfile", ".dockerignore"}]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*.*"))]
    no_text = (".gz", ".mo", ".onnx", ".png", ".pyc", ".svg", ".ttf")
    return [file for file in files if file.is_file() and file.suffix not in no_text]


def renamed(text: str, word: str) -> str:
    """A text in which the example's main thing has another name."""
    for form in (str.lower, str.capitalize, str.upper):
        text = text.replace(form(word), form(OTHER_WORDS[len(word)]))
    return text


def rename(starter: Starter, project: Path) -> Starter:
    """Give the example's main thing another name, in files and in the names of files; the starter as it is then."""
    word = starter.facts["core"]["word"]
    files = texts(starter, project)
    for file in files:
        file.write_text(renamed(file.read_text("utf-8"), word), encoding="utf-8")
    folders = {folder for file in files for folder in file.relative_to(project).parents[:-1]}
    # The deepest first: a folder is renamed after what is in it.
    for path in [*files, *(project / each for each in sorted(folders, key=lambda each: -len(each.parts)))]:
        path.rename(path.with_name(renamed(path.name, word)))
    return Starter(starter.name, json.loads(renamed(json.dumps(starter.facts), word)))
