"""Write everything into one file."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backup import archive


class Command(BaseCommand):
    help = "Write the database and the uploads into one file, with checksums. The site goes on meanwhile."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path, help="such as magazine-2026-11-23.tar.gz; must not be there yet")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        target: Path = options["file"]
        if target.exists():
            raise CommandError(f"{target} is there already. Name another file, or delete it.")
        if not target.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {target.absolute().parent}. Make it first.")
        with tempfile.TemporaryDirectory() as folder:
            made = archive.write(target, Path(settings.MEDIA_ROOT), Path(folder))
        files = sum(name.startswith("uploads/") for name in made["sha256"])
        self.stdout.write(
            f"{target}: {sum(made['rows'].values())} rows, {files} uploads, {target.stat().st_size:,} bytes"
        )
