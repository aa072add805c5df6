"""The pages: lists are fresh, links lead somewhere, commands are those that are run."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from workbench import recipes, site, starters

ROOT = starters.ROOT
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("templates/*/*/*.md")]


def test_lists_made_from_starter_toml_are_fresh() -> None:
    for file, text in starters.generated_files().items():
        assert file.read_text("utf-8") == text, f"{file.relative_to(ROOT)} is stale: nox -s lists -- --write"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a code host makes them, and those that it has written out."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | {*re.findall(r'<a id="([\w-]+)"></a>', text)}


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
    assert "pip install --quiet nox && nox || failed=1\n" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_every_command_is_one_that_is_run() -> None:
    """By a session that carries out a starter's commands, by tests/test_use.py, or by CI."""
    run = {"cd my-project", "pip install nox && nox"}
    for starter in starters.all_starters():
        for command in starter.commands.values():
            run |= {command} if isinstance(command, str) else set(command)
        run |= {f"pip install nox && nox -s run -- {starter.name}", f"cookiecutter templates/{starter.name}"}
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for language, text in recipes.blocks(page.read_text("utf-8")):
            if language == "sh" and page.name != "use.md":
                assert set(text.splitlines()) <= run, page


def test_every_session_that_is_named_is_there() -> None:
    sessions = set(re.findall(r"^\| `(\w+)", starters.sessions(), re.MULTILINE))
    for page in PAGES:
        for name in re.findall(r'nox -s "?(\w+)', page.read_text("utf-8")):
            assert name in sessions, f"{page}: nox -s {name}"


def projects() -> dict[str, Path]:
    return {starter.name: starter.project for starter in starters.all_starters()}


def test_the_pages_have_what_they_ask_for(tmp_path: Path) -> None:
    site.write(tmp_path / "source", projects())
    made = (tmp_path / "source" / "docs" / "reference" / "http.md").read_text("utf-8")
    assert "class Problem(Exception):" in made
    assert "def page[" in made
    settings = (tmp_path / "source" / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert "## fastapi-realtime\n" in settings
    assert "| `SECRET_KEY` |" in settings


@pytest.mark.parametrize(
    "asks", ["x/README.md", "*/README.md#Nothing", "fastapi-realtime/app/main.py:nothing", "*/x.md"]
)
def test_a_page_that_asks_for_what_is_not_there_is_refused(
    asks: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    for file in ("CONTRIBUTING.md", "CHANGELOG.md", "zensical.toml"):
        (tmp_path / file).write_text("")
    (tmp_path / "docs" / "page.md").write_text(f"# Page\n\n<!-- include: {asks} -->\n")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    with pytest.raises(site.StalePageError, match=r"docs/page\.md asks for what is not there"):
        site.write(tmp_path / "source", projects())


def test_headings_are_one_level_lower_and_code_is_not() -> None:
    assert site.lower("Run it\n\n```sh\n# here\n```\n\n### More\n") == (
        "### Run it\n\n```sh\n# here\n```\n\n#### More\n"
    )
