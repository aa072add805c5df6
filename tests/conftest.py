"""What several tests need: the repository as it lies here, committed or not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from workbench import machine, starters

collect_ignore = ["skeleton", "site"]


def git(folder: Path, *arguments: str) -> str:
    """What git prints, as a user who has configured nothing."""
    command = [*machine.GIT, "-c", "user.name=A user", "-c", "user.email=user@example.org", *arguments]
    env = machine.environment()
    return subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


def copy_of_the_repository(folder: Path) -> None:
    """The files that are under version control, or will be, in an empty folder."""
    if not (starters.ROOT / ".git").exists():
        pytest.skip("NO REPOSITORY: this is a folder of files; clone it with git")
    listed = git(starters.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, listed):
        if (starters.ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(starters.ROOT / name, folder / name)


def commit(folder: Path) -> None:
    """Make a folder a repository with one commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Everything")


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one commit: the files as they lie here."""
    folder = tmp_path_factory.mktemp("repository")
    copy_of_the_repository(folder)
    commit(folder)
    return folder
