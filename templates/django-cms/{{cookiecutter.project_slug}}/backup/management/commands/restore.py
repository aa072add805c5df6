"""Make the site what an archive says that it was."""

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from backup import archive
from config.pagecache import generation


class Command(BaseCommand):
    help = "Replace the database and the uploads by those of an archive. Stop the servers first."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path, help="what `backup` has written")
        parser.add_argument("--replace", action="store_true", help="even though there is a site already, which is lost")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        if User.objects.exists() and not options["replace"]:
            raise CommandError("There is a site here already. `--replace` puts the archive in its place.")
        media = Path(settings.MEDIA_ROOT)
        media.mkdir(parents=True, exist_ok=True)
        # Among the uploads, which may be on a disk of their own: what was unpacked needs only other names.
        with tempfile.TemporaryDirectory(dir=media, prefix=archive.UNPACKED) as name:
            folder = Path(name)
            try:
                manifest = archive.unpack(options["file"], folder)
            except archive.DamagedError as error:
                raise CommandError(str(error)) from None
            with transaction.atomic():
                archive.replace_rows(folder)
            # Killed from here on, the uploads are not yet those of the archive: restoring once more mends it.
            archive.replace_uploads(folder, media)
        generation().move()
        call_command("rebuild_references_index", verbosity=0)
        call_command("update_index", verbosity=0)
        self.stdout.write(f"{sum(manifest['rows'].values())} rows, and {media} as it was. Everybody signs in anew.")
