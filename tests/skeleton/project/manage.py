"""Run anything: `uv run manage.py <command>`."""

import os
import sys
from pathlib import Path

DEMO = Path(__file__).parent / ".demo"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] in (["demo"], ["runserver"]):
        os.environ.setdefault("ENVIRONMENT", "development")
    if sys.argv[1:2] == ["demo"]:
        DEMO.mkdir(exist_ok=True)
        os.environ["DATABASE_URL"] = f"sqlite:///{DEMO / 'data.sqlite3'}"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
