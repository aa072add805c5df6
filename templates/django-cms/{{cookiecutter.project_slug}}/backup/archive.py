"""One file with everything that cannot be made anew: the rows of the database, and what was uploaded.

A gzipped tar of `manifest.json` (what it is, and the SHA-256 of each further member), `rows/<app>.<model>.jsonl` (a row
a line: the columns as JSON, the same for every database) and `uploads/…`. Left out: the sizes of images, the search's
index and the references between pages, which are made anew; sessions, so that everybody signs in again; counters.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
MANIFEST = "manifest.json"
MADE_ANEW = {"axes", "config", "sessions"}  # applications
MADE_ANEW_MODELS = {"media.customrendition", "wagtailcore.referenceindex"}
UNPACKED = ".unpacked-"  # what a folder among the uploads begins with while somebody restores
RENDITIONS = "images"  # the folder of uploads/ with images in their sizes
AT_ONCE = 500  # rows


class DamagedError(Exception):
    """The archive is not what was written, or not for this code. The message says what to do."""


def tables() -> list[type[models.Model]]:
    """Every table whose rows are kept."""
    return [model for model in every_table() if kept(model)]


def every_table() -> list[type[models.Model]]:
    """Every table of this project."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy and not model._meta.swapped]


def kept(model: type[models.Model]) -> bool:
    """Whether its rows cannot be made anew."""
    names = (model._meta.app_label, model._meta.label_lower)
    return names[0] not in MADE_ANEW and names[1] not in MADE_ANEW_MODELS and "indexentry" not in names[1]


def migrations() -> list[list[str]]:
    """What the tables look like: the migrations that made them."""
    return sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read within is of one moment, while others go on writing."""
    if connection.in_atomic_block:  # whoever has begun a transaction has chosen its moment
        yield
        return
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else "BEGIN"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("COMMIT")


def write_rows(model: type[models.Model], file: Path) -> int:
    """Write the rows of a table, a line each; how many there were."""
    fields = model._meta.local_concrete_fields
    count = 0
    rows = model._base_manager.order_by("pk").values_list(*(field.attname for field in fields))
    with file.open("w", encoding="utf-8") as out:
        for row in rows.iterator(chunk_size=AT_ONCE):
            values = [field.get_prep_value(value) for field, value in zip(fields, row, strict=True)]
            out.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")
            count += 1
    return count


def read_rows(model: type[models.Model], file: Path) -> None:
    """Put the rows of a file into their table, as they are: no signal is sent."""
    fields = model._meta.local_concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column or "") for field in fields)
    places = ", ".join(["%s"] * len(fields))
    insert = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  our own names
    with connection.cursor() as cursor, file.open(encoding="utf-8") as lines:
        for line in lines:
            values = zip(fields, json.loads(line), strict=True)
            cursor.execute(
                insert, [field.get_db_prep_save(field.to_python(value), connection) for field, value in values]
            )


def replace_rows(folder: Path) -> None:
    """Take every row out of the database, and put those of the archive in. To be called in a transaction."""
    with connection.cursor() as cursor:
        for model in every_table():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608  our own names
        for model in tables():
            read_rows(model, folder / "rows" / f"{model._meta.label_lower}.jsonl")
        for statement in connection.ops.sequence_reset_sql(no_style(), tables()):
            cursor.execute(statement)


def replace_uploads(folder: Path, media: Path) -> None:
    """Put the unpacked uploads in the place of those that are there, and take away what killed ones have left."""
    before = folder / "before"
    before.mkdir()
    for path in media.iterdir():
        if path != folder:
            path.rename(before / path.name)
    for path in (folder / "uploads").glob("*"):
        path.rename(media / path.name)


def uploads(media: Path) -> Iterator[Path]:
    """The files that somebody has uploaded."""
    for path in sorted(media.rglob("*")):
        top = path.relative_to(media).parts[0]
        if path.is_file() and top != RENDITIONS and not top.startswith(UNPACKED):
            yield path


def write(target: Path, media: Path, folder: Path) -> dict[str, Any]:
    """Write an archive; what its manifest says. The folder is for what is there only meanwhile.

    The file appears when it is whole, and only its owner may read it: it has the hashes of passwords in it.
    """
    (folder / "rows").mkdir()
    with one_moment():
        rows = {
            model._meta.label_lower: write_rows(model, folder / "rows" / f"{model._meta.label_lower}.jsonl")
            for model in tables()
        }
        applied = migrations()
    files = {f"rows/{name}.jsonl": folder / "rows" / f"{name}.jsonl" for name in rows}
    files |= {f"uploads/{path.relative_to(media).as_posix()}": path for path in uploads(media)}
    partial = target.with_name(f"{target.name}.partial")
    sums: dict[str, str] = {}
    try:
        partial.touch(mode=0o600)
        with tarfile.open(partial, "w:gz") as archive:
            for name, path in files.items():
                with suppress(FileNotFoundError):  # an upload that was deleted meanwhile
                    with path.open("rb") as file:
                        digest = hashlib.file_digest(file, "sha256").hexdigest()
                    archive.add(path, name, recursive=False)
                    sums[name] = digest
            manifest = {"format": FORMAT, "migrations": applied, "rows": rows, "sha256": sums}
            said = folder / MANIFEST
            said.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            archive.add(said, MANIFEST)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def unpack(archive: Path, folder: Path) -> dict[str, Any]:
    """Unpack an archive into a folder, and hold each file to its sum. Raises DamagedError; the site is not touched."""
    try:
        with tarfile.open(archive, "r:gz") as packed:
            packed.extractall(folder, filter="data")  # nothing outside of the folder, no links to elsewhere
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        sums: dict[str, str] = manifest["sha256"]
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError) as error:
        raise DamagedError(f"{archive} is no archive, or not a whole one ({error}). Take another one.") from None
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(there ^ set(sums)):
        raise DamagedError(f"{archive} has not what it says it has: {name}. Take another one.")
    for name, expected in sums.items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise DamagedError(f"{archive} is damaged: {name} is not what was written. Take another one.")
    if manifest["format"] != FORMAT or manifest["migrations"] != migrations():
        raise DamagedError(
            f"{archive} is of other tables than this database has. Restore with the code that made it, after its "
            "`migrate`, into an empty database; then come back to this code and `migrate` again."
        )
    return manifest
