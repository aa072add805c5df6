"""The pages: lists are fresh, links lead somewhere, commands are those that are run."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from workbench import starters

ROOT = starters.ROOT
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("templates/*/*/*.md")]


def test_lists_made_from_starter_toml_are_fresh() -> None:
    for file, text in starters.generated_files().items():
        assert file.read_text("utf-8") == text, f"{file.relative_to(ROOT)} is stale: nox -s lists -- --write"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a code host makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if link.startswith("http"):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_ci_runs_the_readmes_test_command() -> None:
    commands = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert "pip install nox && nox -s run -- fastapi-realtime\n" in commands
    assert "pip install nox && nox\n" in commands
    assert "pip install --quiet nox && nox\n" in (ROOT / ".ci" / "run").read_text("utf-8")
