"""The workbench: what it says when it is held wrong, and that what it makes is fresh."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import copy_of_the_repository
from workbench import compare, real, recipes, release, starters

NOX = [sys.executable, "-m", "nox", "--script-mode", "none"]
# This run's own options are none of theirs.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("NOX")}


def nox(
    *arguments: str, at: Path = starters.ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NOX, *arguments],
        cwd=at, env={**ENVIRONMENT, **(env or {})}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [[], ["--", "nothing"], ["--", "fastapi-realtime", "twice"]])
def test_run_without_a_known_name_lists_the_starters(arguments: list[str]) -> None:
    done = nox("-s", "run", *arguments)
    assert done.returncode == 2
    assert "fastapi-realtime" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_interpreter_there_is_one_sentence(tmp_path: Path) -> None:
    env = {"PYENV_ROOT": str(tmp_path), "UV_PYTHON_DOWNLOADS": "never", "TMPDIR": str(tmp_path)}
    done = nox("-s", "starter", "-P", "3.99", env=env)
    assert done.returncode == 1
    assert "No Python 3.99 here, and none to be had" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def until_it_answers(address: str) -> int:
    """The status of the first answer that there is."""
    for _ in range(600):
        with contextlib.suppress(OSError):
            return real.ask(address)[0]
        time.sleep(0.1)
    return 0


@pytest.mark.parametrize("name", [starter.name for starter in starters.all_starters()])
def test_run_passes_on_the_address_and_stops_cleanly(name: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*NOX, "-s", "run", "--", name],
        cwd=starters.ROOT,
        env=ENVIRONMENT | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    too_long = threading.Timer(180, os.killpg, (process.pid, signal.SIGKILL))
    too_long.start()
    printed = ""
    answered = 0
    for line in process.stdout:
        printed += line
        if not answered and (found := re.search(r"http://127\.0\.0\.1:\d+", line)):
            answered = until_it_answers(found[0])
            os.killpg(process.pid, signal.SIGINT)
    process.wait()
    process.stdout.close()
    too_long.cancel()
    assert answered == 200, printed
    assert process.returncode == 0
    assert "Traceback" not in printed, "it was not cut short"
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_starter_toml_with_a_mistake_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "starter.toml").write_text('title = "Bad"\nframework = "Flask"\n')
    monkeypatch.setattr(starters, "TEMPLATES", tmp_path)
    with pytest.raises(jsonschema.ValidationError):
        starters.all_starters()


def test_a_stale_common_file_is_found_and_renewed(tmp_path: Path) -> None:
    copy_of_the_repository(tmp_path)
    source = tmp_path / "common" / "all" / ".gitignore"
    source.write_text("something else\n")
    stale = nox("-s", "common", at=tmp_path)
    assert stale.returncode == 1
    assert "change the latter, then nox -s common -- --write" in stale.stderr
    assert nox("-s", "common", "--", "--write", at=tmp_path).returncode == 0
    assert nox("-s", "common", at=tmp_path).returncode == 0


def test_a_common_file_that_a_starter_does_without_is_not_expected_there(monkeypatch: pytest.MonkeyPatch) -> None:
    (starter,) = (each for each in starters.all_starters() if each.name == "fastapi-microservice")
    copy, whole = starter.project / "app" / "schemas.py", starter.common_lines()
    assert copy not in starters.common_files()
    monkeypatch.delitem(starter.facts["core"], "without")
    monkeypatch.setattr(starters, "all_starters", lambda: [starter])
    assert copy in starters.common_files()
    assert starter.common_lines() > whole


def test_lines_of_code_are_neither_blank_nor_comments_nor_docstrings(tmp_path: Path) -> None:
    source = (
        '"""What.\n\nMore.\n"""\n# why\n\nx = """\ntext\n"""  # one\n\n\ndef y() -> int:\n    """Y."""\n    return 2\n'
    )
    (tmp_path / "x.py").write_text(source)
    assert starters.count_lines(tmp_path / "x.py") == 5


@pytest.mark.parametrize("starter", starters.all_starters(), ids=lambda starter: starter.name)
def test_a_starter_beside_itself_without_its_extras(starter: starters.Starter, tmp_path: Path) -> None:
    projects = [tmp_path / "whole", tmp_path / "stripped"]
    for project in projects:
        shutil.copytree(starter.project, project, ignore=shutil.ignore_patterns("__pycache__"))
    recipes.strip(starter, projects[1])
    left, right = (compare.Side(project.name, starter, project) for project in projects)
    page = compare.page(left, right)
    assert "<script" not in page
    assert "://" not in page.partition("<main>")[0], "nothing comes from elsewhere"
    for extra in starter.facts["extra"]:
        assert extra["name"] in left.features()
        assert extra["name"] not in right.features()
    assert page.count("<h2>") == len(left.features()) + 1
    lines = [int(each.facts()["lines of Python, without tests"]) for each in (right, left)]
    assert (lines[0] < lines[1]) == bool(starter.facts["extra"])
    assert bool(recipes.traces(starter, projects[0])) == bool(starter.facts["extra"])


@pytest.mark.parametrize("arguments", [[], ["--", "nothing"], ["--", "fastapi-realtime", "nothing"]])
def test_diff_without_known_names_lists_the_starters(arguments: list[str]) -> None:
    done = nox("-s", "diff", *arguments)
    assert done.returncode == 2
    assert "fastapi-realtime" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_readme_says_is_found_or_missed_by_name(tmp_path: Path) -> None:
    change, yours = "```sh\nuv run it\n```\n", "1. One `uv run a`\n   and `uv run b`.\n"
    text = f"# Project\n\n## Change it\n\nNow:\n\n{change}\n## Make it yours\n\n{yours}"
    (tmp_path / "README.md").write_text(text)
    assert recipes.blocks(recipes.section(tmp_path, "Change it")) == [("sh", "uv run it\n")]
    yours = recipes.section(tmp_path, "Make it yours")
    assert recipes.commands(recipes.item(yours, "One")) == ["uv run a", "uv run b"]
    with pytest.raises(KeyError):
        recipes.item(yours, "Two")
    with pytest.raises(KeyError):
        recipes.section(tmp_path, "Grow it")


def test_a_date_moves_in_every_starter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for starter in starters.all_starters():
        copy = tmp_path / starter.name / starters.PROJECT_FOLDER
        copy.mkdir(parents=True)
        shutil.copyfile(starter.folder / "starter.toml", tmp_path / starter.name / "starter.toml")
        shutil.copyfile(starter.project / "pyproject.toml", copy / "pyproject.toml")
    monkeypatch.setattr(starters, "TEMPLATES", tmp_path)
    changed = release.redate("2025-01-02")
    assert len(changed) == len(starters.all_starters())
    assert all('exclude-newer = "2025-01-02T00:00:00Z"' in file.read_text("utf-8") for file in changed)
    assert release.redate("2025-01-02") == []


@pytest.mark.parametrize("day", ["", "yesterday", "2026-13-01", "9999-01-01"])
def test_a_day_that_is_none_or_to_come_is_refused(day: str) -> None:
    with pytest.raises(release.NotNowError):
        release.redate(day)


@pytest.mark.parametrize("session", ["redate", "release"])
def test_what_cannot_be_taken_is_one_sentence(session: str) -> None:
    done = nox("-s", session, "--", "tomorrow")
    assert done.returncode == 1
    assert "'tomorrow' is no " in done.stderr
    assert "Traceback" not in done.stderr


TODAY = date(2026, 11, 23)
CHANGES = "# What changed\n\n## Unreleased\n\n- One.\n- Two.\n"


def test_what_is_unreleased_gets_a_version_and_its_notes(tmp_path: Path) -> None:
    (log := tmp_path / "CHANGELOG.md").write_text(CHANGES)
    assert release.latest(log) is None
    assert release.release("2026.11.1", log, today=TODAY) == "- One.\n- Two."
    assert log.read_text() == CHANGES.replace("## Unreleased\n", "## Unreleased\n\n## 2026.11.1 (2026-11-23)\n")
    assert release.latest(log) == "2026.11.1"
    with pytest.raises(release.NotNowError, match="nothing below"):
        release.release("2026.11.2", log, today=TODAY)
    log.write_text(log.read_text().replace("## Unreleased\n", "## Unreleased\n\n- Three.\n"))
    for version in ("2026.11.1", "2026.11.0"):
        with pytest.raises(release.NotNowError, match="not higher"):
            release.release(version, log, today=TODAY)
    assert release.release("2026.11.2", log, today=TODAY) == "- Three."
    assert release.latest(log) == "2026.11.2"


@pytest.mark.parametrize("version", ["", "1.0", "2026.10.1", "2026.11", "2026.11.x", "v2026.11.1"])
def test_a_version_that_is_none_is_refused_and_changes_nothing(version: str, tmp_path: Path) -> None:
    (log := tmp_path / "CHANGELOG.md").write_text(CHANGES)
    with pytest.raises(release.NotNowError, match=r"2026\.11\.1"):
        release.release(version, log, today=TODAY)
    assert log.read_text() == CHANGES
