"""What is counted for a minute need not survive a crash: PostgreSQL does not log it, and nobody waits for its disk."""

from typing import Any

from django.db import migrations


def unlogged(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE config_use SET UNLOGGED")


class Migration(migrations.Migration):
    dependencies = [("config", "0001_initial")]

    operations = [migrations.RunPython(unlogged, migrations.RunPython.noop)]
