"""What changes from time to time: the date up to which packages are taken, and the version of the repository."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

from workbench.starters import ROOT, all_starters

CHANGELOG = ROOT / "CHANGELOG.md"
UNRELEASED = "## Unreleased\n"


class NotNowError(Exception):
    """The date or the version cannot be taken, and why."""


def redate(text: str, *, today: date | None = None) -> list[Path]:
    """Move the date of every starter. The files that changed. Raises NotNowError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotNowError(f"{text!r} is no date: write 2026-11-20") from None
    if day > (today or datetime.now(UTC).date()):
        raise NotNowError(f"{day} is to come: nobody has tested its packages")
    changed = []
    for starter in all_starters():
        file = starter.project / "pyproject.toml"
        before = file.read_text("utf-8")
        # With the Z: a bare date is local time, and another one for each reader.
        after = re.sub(r'^exclude-newer = ".*"', f'exclude-newer = "{day}T00:00:00Z"', before, flags=re.MULTILINE)
        if after != before:
            file.write_text(after, encoding="utf-8", newline="\n")
            changed.append(file)
    return changed


def release(version: str, changelog: Path = CHANGELOG, *, today: date | None = None) -> str:
    """Give what is unreleased a version: the year, the month, a number. Its notes. Raises NotNowError."""
    day = today or datetime.now(UTC).date()
    if not re.fullmatch(rf"{day.year}\.{day.month}\.\d+", version):
        raise NotNowError(
            f"{version!r} is no version of this month: write {day.year}.{day.month}.1, or a higher number"
        )
    text = changelog.read_text("utf-8")
    if (last := latest(changelog)) and number(version) <= number(last):
        raise NotNowError(f"{version} comes after {last}, and is not higher")
    before, mark, after = text.partition(UNRELEASED)
    if not mark or not notes_of(after):
        raise NotNowError(f"{changelog.name} has nothing below {UNRELEASED.strip()!r}")
    changelog.write_text(f"{before}{UNRELEASED}\n## {version} ({day})\n{after}", encoding="utf-8", newline="\n")
    return notes_of(after)


def latest(changelog: Path = CHANGELOG) -> str | None:
    """The last version that was released; None before the first."""
    found = re.search(r"^## (\d+\.\d+\.\d+) ", changelog.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else None


def number(version: str) -> list[int]:
    """A version, as it is compared."""
    return [int(part) for part in version.split(".")]


def notes_of(text: str) -> str:
    """What stands before the next heading."""
    return re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0].strip()
