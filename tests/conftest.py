"""What several tests need: the repository as it lies here, committed or not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from workbench import starters

collect_ignore = ["skeleton"]


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=A user", "-c", "user.email=user@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", *options, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def copy_of_the_repository(folder: Path) -> None:
    """The files that are under version control, or will be, in an empty folder."""
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
