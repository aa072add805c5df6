"""Where the demo runs: with data of its own, for this machine only."""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".demo"


def prepare() -> None:
    """Set the environment of `manage.py demo`, before Django reads it; refuse where that would be a surprise."""
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("The demo is not for production: it sells things that are not there.")
    if "DATABASE_URL" in os.environ:
        sys.exit("The demo has a database of its own, in .demo/. Unset DATABASE_URL, so that there is no doubt.")
    FOLDER.mkdir(exist_ok=True)
    os.environ["DOTENV"] = os.devnull  # what is in .env is for the real one
    os.environ |= {"ENVIRONMENT": "development", "DEBUG": "false", "DATA_DIR": str(FOLDER), "HOST": "127.0.0.1"}
