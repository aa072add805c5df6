"""Run anything: `uv run manage.py <command>`."""

import os
import sys

from environs import EnvError

from config.demo import prepare

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["demo"]:
        prepare()
    elif sys.argv[1:2] == ["runserver"]:
        os.environ.setdefault("ENVIRONMENT", "development")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.exit(f"A setting is wrong: {error}")
