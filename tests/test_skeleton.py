"""CONTRIBUTING's way to add a starter, gone with a throw-away one on the framework that needs to be proved."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import commit, copy_of_the_repository
from workbench import recipes, starters

NAME = "django-skeleton"
SKELETON = Path(__file__).parent / "skeleton"
STEPS = recipes.below("Add a starter", (starters.ROOT / "CONTRIBUTING.md").read_text("utf-8"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("NOX")}


def commands() -> list[str]:
    """What CONTRIBUTING says to type, in its order; what comes after its steps is this very session."""
    said = [command.replace("<name>", NAME) for command in re.findall(r"`(nox [^`]+)`", STEPS)]
    assert said.pop() == "nox -s skeleton"
    return said


@pytest.fixture(scope="module")
def repository_with_one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, and the skeleton where a starter belongs: what the first steps tell one to write by hand."""
    folder = tmp_path_factory.mktemp("with-one-more")
    copy_of_the_repository(folder)
    starter = folder / "templates" / NAME
    starter.mkdir()
    for file in ("starter.toml", "cookiecutter.json"):
        shutil.copyfile(SKELETON / file, starter / file)
    shutil.copytree(SKELETON / "project", starter / starters.PROJECT_FOLDER)
    pyproject = starter / starters.PROJECT_FOLDER / "pyproject.toml"
    date = re.compile(r"^exclude-newer = .*$", re.MULTILINE)
    (of_all,) = date.findall((starters.all_starters()[0].project / "pyproject.toml").read_text("utf-8"))
    pyproject.write_text(date.sub(of_all, pyproject.read_text("utf-8")), "utf-8")
    shutil.copyfile(SKELETON / "page.md", folder / "docs" / "starters" / f"{NAME}.md")
    commit(folder)
    return folder


@pytest.mark.parametrize("command", commands())
def test_each_command_of_contributing_is_green(command: str, repository_with_one_more: Path) -> None:
    program, *arguments = command.replace('"', "").split()
    assert program == "nox"
    # The others have had their turn; the workbench has not, with a starter of the other framework as its first.
    if "templates" in arguments:
        arguments += ["--", "-k", f"{NAME} or test_workbench"]
    elif "docs" in arguments:
        arguments += ["--", "-k", NAME]
    done = subprocess.run(
        [sys.executable, "-m", "nox", "--script-mode", "none", *arguments],
        cwd=repository_with_one_more, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-8000:]}{done.stderr[-8000:]}"


def test_it_is_on_every_list(repository_with_one_more: Path) -> None:
    for page in ("README.md", "cookiecutter.json", "docs/index.md", "docs/choose.md"):
        assert NAME in (repository_with_one_more / page).read_text("utf-8"), page
    assert (repository_with_one_more / "site" / "starters" / f"{NAME}.html").exists()
    assert (repository_with_one_more / f"{NAME}-fastapi-realtime.html").exists()
