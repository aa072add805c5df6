"""Run anything: `uv run manage.py <command>`."""

import os
import sys

from config.demo import prepare

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:
        prepare()
    elif sys.argv[1:2] == ["runserver"]:
        os.environ.setdefault("ENVIRONMENT", "development")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
