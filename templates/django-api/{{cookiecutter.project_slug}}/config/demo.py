"""Where the demo runs: with data of its own, for this machine only."""

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".demo"


def prepare() -> None:
    """Set the environment of `manage.py demo`, before Django reads it; refuse where that would be a surprise."""
    if os.environ.get("ENVIRONMENT") == "production":
        sys.exit("The demo is not for production: it prints a token that may change everything.")
    if "DATABASE_URL" in os.environ:
        sys.exit("The demo has a database of its own, in .demo/. Unset DATABASE_URL, so that there is no doubt.")
    FOLDER.mkdir(exist_ok=True)
    key = FOLDER / "secret-key"
    if not key.exists():
        key.touch(0o600)
        key.write_text(secrets.token_urlsafe(50), encoding="utf-8")
    os.environ["DOTENV"] = os.devnull  # what is in .env is for the real one
    os.environ |= {"ENVIRONMENT": "development", "DEBUG": "false", "DATA_DIR": str(FOLDER), "HOST": "127.0.0.1"}
    os.environ["SECRET_KEY"] = key.read_text("utf-8")  # the server is another process, and is to know our tokens
    for name in [each for each in os.environ if each.startswith(("JWKS", "TOKEN"))]:
        del os.environ[name]  # our own token is to be believed
