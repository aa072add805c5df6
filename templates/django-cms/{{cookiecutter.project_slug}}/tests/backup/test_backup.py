"""Everything in one file, and back."""

import gzip
import io
import json
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.color import no_style
from django.db import connection
from django.test import Client
from wagtail.models import Page, Revision

from accounts.models import User
from backup.archive import every_table, tables
from media.models import CustomImage
from pages.models import ArticlePage
from tests.conftest import Write, member
from tests.processes import Processes, new_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(write: Write, image: CustomImage) -> ArticlePage:
    """An article with everything, and somebody who can sign in."""
    member("editor@example.org", "Editors")
    body = [("text", "<p>“Water”, 水.</p>"), ("image", {"image": image, "caption": "Blue"})]
    page = write(image=image, image_alt="Blue", body=body, introduction="It hums.\nAt night.")
    page.tags.add("night")
    page.save_revision().publish()
    return page


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table that is kept."""
    return {model._meta.label: sorted(model._base_manager.values_list(), key=str) for model in tables()}


def write_archive(tmp_path: Path) -> Path:
    file = tmp_path / "site.tar.gz"
    call_command("backup", file, verbosity=0)
    return file


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_was_wiped_comes_back(
    committed: None, client: Client, article: ArticlePage, image: CustomImage, tmp_path: Path
) -> None:
    before, uploaded = everything(), image.file.open().read()
    text = client.get(article.url).content
    file = write_archive(tmp_path)
    assert oct(file.stat().st_mode)[-3:] == "600"
    User.objects.all().delete()
    Page.objects.filter(depth__gt=2).delete()
    Path(image.file.path).unlink()
    image.delete()
    with connection.cursor() as cursor:  # as in a database that is new
        sequences = connection.introspection.sequence_list()
        for statement in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
            cursor.execute(statement)
    call_command("restore", file, verbosity=0)
    assert everything() == before
    assert CustomImage.objects.get().file.open().read() == uploaded
    assert client.get(article.url).content == text
    assert b"The bridge that hums" in client.get("/search/?q=hums").content
    signed_in = client.post("/admin/login/", {"username": "editor@example.org", "password": "correct horse battery"})
    assert signed_in.status_code == 302
    new = ArticlePage(title="New", author="x", introduction="x", body=[])
    article.get_parent().add_child(instance=new)
    assert new.pk > max(pk for pk, *_ in before["wagtailcore.Page"]), "the numbers go on"
    assert Page.find_problems() == ([], [], [], [], [])


def test_a_site_is_not_overwritten_by_mistake(article: ArticlePage, tmp_path: Path) -> None:
    file = write_archive(tmp_path)
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", file)
    with pytest.raises(CommandError, match="there already"):
        call_command("backup", file)
    with pytest.raises(CommandError, match="no folder"):
        call_command("backup", tmp_path / "nowhere" / "x.tar.gz")


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-200] + bytes([data[-200] ^ 1]) + data[-199:]


def packed(change: Any) -> Any:
    """The archive with its members changed, and packed again as if nothing had been."""

    def changed(data: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
        change(members)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return out.getvalue()

    return changed


def another_version(members: dict[str, bytes]) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["migrations"].pop()
    members["manifest.json"] = json.dumps(manifest).encode()


DAMAGES = {
    "cut": cut,
    "a bit": flipped,
    "empty": lambda _: b"",
    "something else": lambda _: gzip.compress(b"not a tar"),
    "a password changed": packed(lambda members: members.update({"rows/accounts.user.jsonl": b"[]\n"})),
    "a file more": packed(lambda members: members.update({"uploads/evil.html": b"<script>"})),
    "a file less": packed(lambda members: members.pop("rows/wagtailcore.page.jsonl")),
    "outside": packed(lambda members: members.update({"../evil": b"x"})),
    "another version": packed(another_version),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_archive_is_refused_and_nothing_was_touched(
    article: ArticlePage, tmp_path: Path, damage: Any
) -> None:
    file = write_archive(tmp_path)
    before, files = everything(), sorted(Path(settings.MEDIA_ROOT).parent.rglob("*"))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CommandError, match=r"Take another one|of other tables"):
        call_command("restore", file, replace=True)
    assert everything() == before
    assert sorted(Path(settings.MEDIA_ROOT).parent.rglob("*")) == files
    assert not (tmp_path.parent / "evil").exists()


def test_a_backup_that_fails_leaves_nothing(
    article: ArticlePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tarfile.TarFile.add", full)
    with pytest.raises(OSError, match="No space"):
        write_archive(tmp_path)
    assert not list(tmp_path.glob("site*"))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_restore_that_fails_in_the_middle_changes_nothing(
    committed: None, article: ArticlePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before = write_archive(tmp_path), everything()
    media = sorted(Path(settings.MEDIA_ROOT).rglob("*"))
    monkeypatch.setattr("backup.archive.no_style", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("restore", file, replace=True)
    assert everything() == before
    assert sorted(Path(settings.MEDIA_ROOT).rglob("*")) == media


def test_no_table_is_forgotten() -> None:
    """Each is kept, or is known to be made anew."""
    left_out = {model._meta.label_lower for model in every_table()} - {model._meta.label_lower for model in tables()}
    anew = (
        "axes.",
        "config.",
        "sessions.",
        "media.customrendition",
        "wagtailcore.referenceindex",
        "wagtailsearch.",
        "modelsearch.",
    )
    assert all(name.startswith(anew) for name in left_out), left_out
    assert Revision in tables()
    assert connection.vendor in ("sqlite", "postgresql")


def test_it_moves_a_site_from_sqlite_to_postgresql(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("moving from SQLite to PostgreSQL is tested with --database postgresql")
    ask = "from wagtail.models import Page; print(*Page.objects.values_list('pk', 'path', 'title', 'translation_key'))"
    small = Processes({"DATABASE_URL": f"sqlite:///{tmp_path / 'small.sqlite3'}", "DATA_DIR": str(tmp_path / "small")})
    small.run("migrate", "-v0")
    small.run("shell", "-v0", "-c", "from tests.site import build; build()")
    small.run("backup", str(tmp_path / "site.tar.gz"))
    with new_database(tmp_path) as url:
        large = Processes({"DATABASE_URL": url, "DATA_DIR": str(tmp_path / "large")})
        large.run("migrate", "-v0")
        large.run("restore", str(tmp_path / "site.tar.gz"))
        assert large.run("shell", "-v0", "-c", ask) == small.run("shell", "-v0", "-c", ask)
        with large.serve() as address, urllib.request.urlopen(f"{address}/search/?q=water") as answer:
            assert b"Number 0" in answer.read()
