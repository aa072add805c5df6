"""Products from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from importer.errors import FileRefusedError
from importer.services import run


class Command(BaseCommand):
    help = "Import products as CSV in Shopify's dialect. With something wrong in the file nothing is written."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as file:
                report = run(file, by=None, try_only=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except FileRefusedError as error:
            said = [f"line {line}: {what}" if line else what for line, what in error.problems]
            raise CommandError("\n".join([*said, "Nothing was imported."])) from error
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{report.products} products with {report.variants} variants: {report.new_products} and "
            f"{report.new_variants} {would}new, {report.changed_products} and {report.changed_variants} {would}changed."
        )
