"""Every way to a project that docs/use.md names, typed as it stands there; and the update of one that has changed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import git
from workbench import machine, recipes, starters

STARTERS = starters.all_starters()
every_starter = pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
PAGE = (starters.ROOT / "docs" / "use.md").read_text("utf-8")


def commands(heading: str, starter: starters.Starter) -> list[str]:
    """The lines to type below a heading of the page, for this starter."""
    blocks = recipes.blocks(recipes.below(heading, PAGE))
    lines = "".join(body for language, body in blocks if language == "sh").splitlines()
    return [line.replace("fastapi-realtime", starter.name) for line in lines]


def type_(command: str, folder: Path, **env: str | Path) -> subprocess.CompletedProcess[str]:
    """A line, as a user types it who presses Enter at each question."""
    if command.startswith("cookiecutter"):
        command += " --no-input --default-config"
    elif command.startswith("cruft create"):
        command += " --no-input"
    elif command == "cruft update":
        command += " --skip-apply-ask"
    home = folder.parent / f"{folder.name}-home"
    home.mkdir(exist_ok=True)
    places = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), home)
    cache = subprocess.run(
        ["uv", "cache", "dir"], env=machine.environment(), capture_output=True, text=True, check=True
    )
    places |= {"UV_CACHE_DIR": Path(cache.stdout.strip())}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=machine.environment(**places, **env) | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def tree(project: Path) -> dict[str, bytes]:
    """What is in a project, without what git, cruft and uv note in it."""
    files = [file.relative_to(project) for file in project.rglob("*") if file.is_file()]
    own = [file for file in files if file.parts[0] not in (".git", ".cruft.json", ".venv", "uv.lock")]
    return {file.as_posix(): (project / file).read_bytes() for file in own}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """An empty folder to type in."""
    made = tmp_path / "here"
    made.mkdir()
    return made


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> dict[str, dict[str, bytes]]:
    """What each starter gives, straight from its folder."""
    made = {}
    for starter in STARTERS:
        folder = tmp_path_factory.mktemp("expected") / "here"
        folder.mkdir()
        done = type_(f"cookiecutter {repository}/templates/{starter.name}", folder)
        assert done.returncode == 0, done.stderr
        made[starter.name] = tree(folder / "my-project")
    return made


@pytest.fixture(params=["file", "zip", "clone without symbolic links"])
def address(request: pytest.FixtureRequest, repository: Path, tmp_path: Path) -> Iterator[str]:
    """The repository, in each way in which one can have it."""
    if request.param == "file":
        yield f"git+{repository.as_uri()}"
    elif request.param == "zip":
        # As code hosts make them: everything in one folder.
        made = tmp_path / "side-by-side-main.zip"
        git(repository, "archive", "--prefix=side-by-side-main/", f"--output={made}", "HEAD")
        yield str(made)
    else:
        clone = tmp_path / "clone"
        git(tmp_path, "-c", "core.symlinks=false", "clone", "--quiet", repository.as_uri(), str(clone))
        yield str(clone)


@every_starter
def test_without_a_clone(
    starter: starters.Starter, address: str, here: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    for command in commands("Without a clone", starter):
        done = type_(command, here, STARTERS=address)
        assert done.returncode == 0, done.stderr
    assert tree(here / "my-project") == expected[starter.name]


@every_starter
def test_from_a_clone(
    starter: starters.Starter, repository: Path, tmp_path: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    git(tmp_path, "clone", "--quiet", repository.as_uri(), "clone")
    for command in commands("From a clone", starter):
        done = type_(command, tmp_path / "clone")
        assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "clone" / "my-project") == expected[starter.name]


@pytest.mark.parametrize("number", range(1, len(STARTERS) + 1))
def test_the_menu(number: int, repository: Path, here: Path, expected: dict[str, dict[str, bytes]]) -> None:
    """The choice is typed; then Enter for each question."""
    done = subprocess.run(
        [sys.executable, "-m", "cookiecutter", "--default-config", f"git+{repository.as_uri()}"],
        cwd=here,
        env=os.environ | dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR"), str(here.parent)),
        input=f"{number}\n\n\n\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert starters.all_starters()[number - 1].facts["title"] in done.stdout
    assert tree(here / "my-project") == expected[STARTERS[number - 1].name]


def test_nothing_in_the_repository_is_a_symbolic_link(repository: Path) -> None:
    assert not [line for line in git(repository, "ls-files", "--stage").splitlines() if line.startswith("120000")]


def grow_older(project: Path) -> None:
    """What a starter may have been: a line was different, a file was not there yet, another has gone since."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8").replace("exclude-newer = ", "exclude-newer  = "), "utf-8")
    (project / "SECURITY.md").unlink()
    (project / "tests" / "test_old.py").write_text('"""Gone since."""\n', "utf-8")


@every_starter
def test_update(
    starter: starters.Starter, repository: Path, tmp_path: Path, expected: dict[str, dict[str, bytes]]
) -> None:
    """Somebody generates yesterday's starter, does its lesson, and gets today's with the lesson done: it is green."""
    upstream, here = tmp_path / "upstream", tmp_path / "here"
    here.mkdir()
    git(tmp_path, "clone", "--quiet", repository.as_uri(), str(upstream))
    grow_older(upstream / "templates" / starter.name / starters.PROJECT_FOLDER)
    git(upstream, "add", "--all")
    git(upstream, "commit", "--quiet", "--message", "Yesterday")
    create, check, update, look = commands("Keep it up to date", starter)
    done = type_(create, here, STARTERS=upstream.as_uri())
    assert done.returncode == 0, done.stdout + done.stderr
    project = here / "my-project"
    assert "SECURITY.md" not in tree(project)
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Generated")
    assert type_(check, project).returncode == 0

    python = machine.find_python(("3.14", "3.13", "3.12"))
    assert python
    patch, _red, *lesson = recipes.blocks(recipes.section(project, "Change it"))
    recipes.apply(project, patch[1])
    for language, text in lesson:
        if language == "diff":
            recipes.apply(project, text)
            continue
        for command in text.splitlines():
            done = type_(command, project, UV_PYTHON=python)
            assert done.returncode == 0, done.stdout + done.stderr
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Ours")
    ours = git(project, "diff", "--binary", "HEAD~")
    # And the starter goes on.
    git(upstream, "revert", "--no-edit", "HEAD")

    assert type_(check, project).returncode == 1
    done = type_(update, project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_old.py" in type_(look, project).stdout + git(project, "status", "--short")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Update")
    assert type_(check, project).returncode == 0
    done = type_(command, project, UV_PYTHON=python)
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(["git", "apply", "--reverse", "-"], cwd=project, input=ours, text=True, check=True)
    git(project, "add", "--all")
    kept = git(project, "ls-files").split()
    left = {name: content for name, content in tree(project).items() if name in kept}
    assert left == expected[starter.name], "today's starter and our own work, and nothing else"


@every_starter
def test_where_both_changed_the_same_lines_git_marks_are_left(
    starter: starters.Starter, repository: Path, tmp_path: Path
) -> None:
    upstream, here = tmp_path / "upstream", tmp_path / "here"
    here.mkdir()
    git(tmp_path, "clone", "--quiet", repository.as_uri(), str(upstream))
    create, _, update, _ = commands("Keep it up to date", starter)
    assert type_(create, here, STARTERS=upstream.as_uri()).returncode == 0
    theirs, ours = upstream / "templates" / starter.name / starters.PROJECT_FOLDER, here / "my-project"
    git(ours, "init", "--quiet")
    for folder, word in (ours, "ours"), (theirs, "theirs"):
        if folder == ours:
            git(ours, "add", "--all")
            git(ours, "commit", "--quiet", "--message", "Generated")
        file = folder / "SECURITY.md"
        file.write_text(f"# {word}\n{file.read_text('utf-8').partition('\n')[2]}", "utf-8")
        git(folder, "commit", "--quiet", "--all", "--message", word)
    assert type_(update, ours).returncode == 0
    assert "<<<<<<<" in (ours / "SECURITY.md").read_text("utf-8")
