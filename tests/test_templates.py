"""The templates as templates: stock cookiecutter by its command line, answers plain and hostile, and what comes out."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workbench import starters

STARTERS = starters.all_starters()
every_starter = pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)

TOP_LEVEL = [
    ".dockerignore", ".editorconfig", ".env.example", ".gitattributes", ".github", ".gitignore",
    ".pre-commit-config.yaml", "Dockerfile", "README.md", "SECURITY.md", "compose.yaml", "pyproject.toml",
]  # fmt: skip
HEADINGS = [
    "Run it", "Change it", "Test it", "What is in it", "Make it yours", "Grow it", "Deploy it", "Settings",
    "Why it is built this way", "Limits",
]  # fmt: skip


def cookiecutter(
    starter: starters.Starter, folder: Path, *options: str, template: Path | None = None, **answers: str
) -> subprocess.CompletedProcess[str]:
    """`cookiecutter templates/<name>`, without questions, in an empty home."""
    home = folder.parent / f"{folder.name}-home"
    home.mkdir(exist_ok=True)
    given = [f"{name}={answer}" for name, answer in answers.items()]
    command = [
        "cookiecutter",
        "--no-input",
        "--default-config",
        "--output-dir",
        str(folder),
        *options,
        str(template or starter.folder),
    ]
    return subprocess.run(
        [sys.executable, "-m", *command, *given],
        # Cookiecutter notes the answers at home, and leaves its rendered hooks where temporary files go.
        env=os.environ | dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(home)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to generate into."""
    made = tmp_path / "here"
    made.mkdir()
    return made


def name_and_description(project: Path) -> tuple[str, str]:
    facts = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    return facts["name"], facts["description"]


@every_starter
def test_plain_answers_make_a_project(starter: starters.Starter, folder: Path) -> None:
    done = cookiecutter(starter, folder, project_name="Night Train", description="Chat for sleepers.")
    assert done.returncode == 0, done.stderr
    project = folder / "night-train"
    assert name_and_description(project) == ("night-train", "Chat for sleepers.")
    assert (project / "README.md").read_text("utf-8").startswith("# Night Train\n\nChat for sleepers.\n")


@every_starter
def test_the_defaults_give_the_source_but_for_the_name(starter: starters.Starter, folder: Path) -> None:
    assert cookiecutter(starter, folder).returncode == 0
    (project,) = folder.iterdir()
    assert project.name == "my-project"
    source = {file.relative_to(starter.project): file for file in starter.project.rglob("*") if file.is_file()}
    made = {file.relative_to(project): file for file in project.rglob("*") if file.is_file()}
    assert source.keys() == made.keys()
    differing = {
        path: [
            line for line in made[path].read_text("utf-8").splitlines() if line not in source[path].read_text("utf-8")
        ]
        for path in source
        if source[path].read_bytes() != made[path].read_bytes()
    }
    assert differing.pop(Path("pyproject.toml")) == ['name = "my-project"']
    assert differing.pop(Path("README.md")) == ["# My project"]
    assert differing == {}


@every_starter
@pytest.mark.parametrize(
    ("project_name", "slug"),
    [
        ("日本", "ri-ben"),
        ("Ünï Cödé!", "uni-code"),
        ('we"ird', "we-ird"),
        ("it's ok <b> & 日本 { 7 * 7 } $(id) `id` \\n", "it-s-ok-b-ri-ben-7-7-id-id-n"),
        ("!!!", "my-project"),
    ],
)
def test_any_name_for_people_makes_a_project(
    starter: starters.Starter, folder: Path, project_name: str, slug: str
) -> None:
    done = cookiecutter(starter, folder, project_name=project_name)
    assert done.returncode == 0, done.stderr
    (project,) = folder.iterdir()
    assert (project.name, name_and_description(project)[0]) == (slug, slug)
    assert (project / "README.md").read_text("utf-8").splitlines()[0] == f"# {project_name}"


@every_starter
@pytest.mark.parametrize("description", ['tri"""ple', "back\\slash", "it's", "日本", "${HOME}", "# not a comment"])
def test_any_line_of_text_is_a_description(starter: starters.Starter, folder: Path, description: str) -> None:
    done = cookiecutter(starter, folder, description=description)
    assert done.returncode == 0, done.stderr
    assert name_and_description(folder / "my-project")[1] == description


@every_starter
@pytest.mark.parametrize(
    "slug",
    ["Bad Name", "-x", "x-", "x--y", "9lives", "ünï", 'we"ird', "a\\b", "a\nb", "../x", "a/b", " ", "x;id", "x_y"],
)
def test_a_bad_slug_is_refused_and_leaves_nothing(starter: starters.Starter, folder: Path, slug: str) -> None:
    done = cookiecutter(starter, folder, project_slug=slug)
    assert done.returncode == 1
    assert f"project_slug {slug!r}: use a-z, 0-9 and single hyphens" in done.stderr
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left == []
    assert [path.name for path in folder.iterdir()] in ([], ["a"]), "for a/b cookiecutter leaves an empty folder"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["here", "here-home"]


@every_starter
def test_an_absolute_path_is_refused_and_leaves_nothing(starter: starters.Starter, folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    done = cookiecutter(starter, folder, project_slug=str(elsewhere))
    assert done.returncode == 1
    assert "use a-z, 0-9 and single hyphens" in done.stderr
    assert not elsewhere.exists()


@every_starter
@pytest.mark.parametrize("slug", ["", "."])
def test_an_empty_slug_is_one_sentence(starter: starters.Starter, folder: Path, slug: str) -> None:
    done = cookiecutter(starter, folder, project_slug=slug)
    assert done.returncode == 1
    assert "already exists" in done.stdout + done.stderr
    assert list(folder.iterdir()) == []


@every_starter
@pytest.mark.parametrize(
    "answers", [{"description": "two\nlines"}, {"project_name": "two\nlines"}, {"description": " "}]
)
def test_more_than_a_line_is_refused(starter: starters.Starter, folder: Path, answers: dict[str, str]) -> None:
    done = cookiecutter(starter, folder, **answers)  # type: ignore[arg-type]
    assert done.returncode == 1
    assert "write one line of text" in done.stderr
    assert list(folder.iterdir()) == []


@every_starter
def test_the_name_of_any_dependency_is_refused(starter: starters.Starter, folder: Path) -> None:
    facts = tomllib.loads((starter.project / "pyproject.toml").read_text("utf-8"))
    wanted = facts["project"]["dependencies"] + [
        each for group in facts["dependency-groups"].values() for each in group
    ]
    names = sorted({re.match(r"[A-Za-z0-9-]+", each)[0] for each in wanted if isinstance(each, str)})  # type: ignore[index]
    assert len(names) > 10
    for name in (names[0], names[-1], "fastapi" if "fastapi" in names else "django"):
        done = cookiecutter(starter, folder, project_slug=name)
        assert done.returncode == 1, name
        assert "cannot have the name of a package that it depends on" in done.stderr
        assert list(folder.iterdir()) == []


@every_starter
def test_an_existing_folder_is_left_as_it_is(starter: starters.Starter, folder: Path) -> None:
    (folder / "my-project").mkdir()
    (folder / "my-project" / "mine.txt").write_text("mine")
    done = cookiecutter(starter, folder)
    assert done.returncode == 1
    assert "already exists" in done.stdout + done.stderr
    assert [path.name for path in (folder / "my-project").iterdir()] == ["mine.txt"]


@every_starter
def test_without_its_hooks_it_is_still_a_project(starter: starters.Starter, folder: Path) -> None:
    done = cookiecutter(starter, folder, "--accept-hooks", "no")
    assert done.returncode == 0, done.stderr
    assert name_and_description(folder / "my-project")[0] == starter.name


@every_starter
def test_nothing_lies_about_that_cookiecutter_would_copy(starter: starters.Starter) -> None:
    if not (starters.ROOT / ".git").exists():
        pytest.skip("NO REPOSITORY: this is a folder of files; clone it with git")
    listed = subprocess.run(
        ["git", "status", "--porcelain", "--ignored", "--", str(starter.folder)],
        cwd=starters.ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    ignored = [line for line in listed if line.startswith("!!")]
    assert ignored == [], "git clean -fdX templates"


@every_starter
def test_nothing_is_rendered(starter: starters.Starter) -> None:
    for file in starter.project.rglob("*"):
        if file.is_file():
            assert b"cookiecutter." not in file.read_bytes(), file


@every_starter
def test_the_anatomy_is_that_of_all(starter: starters.Starter) -> None:
    present = {path.name for path in starter.project.iterdir()}
    assert set(TOP_LEVEL) <= present
    assert (starter.project / ".github/workflows/ci.yml").exists()
    headings = re.findall(r"^## (.*)$", (starter.project / "README.md").read_text("utf-8"), re.MULTILINE)
    assert headings == HEADINGS
    assert not [file for file in starter.project.rglob("*") if file.suffix in {".sh", ".bat"} or file.name == "uv.lock"]


@every_starter
def test_the_readme_has_the_commands_of_starter_toml(starter: starters.Starter) -> None:
    readme = (starter.project / "README.md").read_text("utf-8")
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)).splitlines()
    commands = starter.commands
    for command in [
        commands["demo"],
        commands["dev"],
        commands["serve"],
        commands["migrate"],
        commands["check"],
        *commands["test"],
    ]:
        assert command in blocks, command


@every_starter
def test_the_lesson_applies_to_the_source(starter: starters.Starter, folder: Path) -> None:
    shutil.copytree(starter.project, folder / "copy")
    patch = "".join(re.findall(r"```diff\n(.*?)```", (starter.project / "README.md").read_text("utf-8"), re.DOTALL))
    subprocess.run(["git", "init", "--quiet"], cwd=folder / "copy", check=True)
    done = subprocess.run(
        ["git", "apply", "--check", "--unidiff-zero", "-"],
        cwd=folder / "copy", input=patch, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@every_starter
def test_the_core_is_within_its_budget(starter: starters.Starter) -> None:
    assert starter.core_lines() <= starter.facts["core"]["budget"]


def test_every_starter_has_the_same_date() -> None:
    facts = [tomllib.loads((starter.project / "pyproject.toml").read_text("utf-8")) for starter in STARTERS]
    (date,) = {each["tool"]["uv"]["exclude-newer"] for each in facts}
    assert date.endswith("T00:00:00Z"), "a bare date is local time"


@every_starter
def test_its_workflow_tests_it_and_audits_it_weekly(starter: starters.Starter) -> None:
    text = (starter.project / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    for needed in ("schedule:", "cron:", "uv audit", starter.commands["test"][0], *starter.commands["lint"]):
        assert needed in text, needed
    dependabot = (starter.project / ".github" / "dependabot.yml").read_text("utf-8")
    for ecosystem in ("uv", "github-actions", "docker"):
        assert f"package-ecosystem: {ecosystem}\n" in dependabot


@every_starter
def test_its_containers_are_for_production_whatever_the_file_for_development_says(starter: starters.Starter) -> None:
    compose = (starter.project / "compose.yaml").read_text("utf-8")
    assert re.search(r"^ +ENVIRONMENT: production", compose, re.MULTILINE)
