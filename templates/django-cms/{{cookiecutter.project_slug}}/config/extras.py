"""The extras: features that a site may not want. To be without one, delete its lines here and its folders."""

from importlib.util import find_spec

# Applications, for settings.py. An extra may have `urls.py`; commands, templates and migrations are where Django looks.
APPS: list[str] = [
    "backup",  # `backup` and `restore`: the database and the uploads in one file
    "forms",  # pages with a form, against spam
    "wagtail.contrib.forms",  # forms
    "headless",  # what is public, as JSON, at /api/v2/
    "wagtail.api.v2",  # headless
]


def urls() -> list[str]:
    """The modules of the extras that have addresses."""
    return [f"{name}.urls" for name in APPS if "." not in name and find_spec(f"{name}.urls")]
