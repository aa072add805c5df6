"""The index of the search on PostgreSQL; SQLite has none, and reads them all."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# The expression of `catalogue.services.DOCUMENT`, to the letter.
DOCUMENT = "to_tsvector('simple', catalogue_product.name || ' ' || catalogue_product.description)"


def make(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"CREATE INDEX product_search ON catalogue_product USING gin (({DOCUMENT}))")


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
