"""Translations: whole, and compiled."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
FILES = [file for file in ROOT.glob("**/LC_MESSAGES/django.po") if ".venv" not in file.parts]


def texts(catalog: Catalog) -> dict[str, list[str | None]]:
    """What is written, and what it becomes: more than one where it depends on a number."""
    found = {}
    for message in catalog:
        one = message.id if isinstance(message.id, str) else message.id[0]
        if one:
            found[one] = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_text_is_translated_and_compiled(file: Path) -> None:
    with file.open("rb") as written, file.with_suffix(".mo").open("rb") as compiled:
        source, used = read_po(written), read_mo(compiled)
    assert [text for text, found in texts(source).items() if not all(found) or source[text].fuzzy] == []
    stale = "uv run --group test pybabel compile --domain django --directory " + str(file.parents[2].relative_to(ROOT))
    assert texts(used) == texts(source), stale
