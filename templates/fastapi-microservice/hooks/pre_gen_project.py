"""Refuse answers that would not make a project, before anything is written. The answers are read as JSON: they are
untrusted, and pasted into code they could say anything."""

import json
import re
import sys

answers = json.loads(r"""{{ cookiecutter | tojson }}""")

if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", answers["project_slug"]):
    sys.exit(f"project_slug {answers['project_slug']!r}: use a-z, 0-9 and single hyphens, and begin with a letter.")
for name in ("project_name", "description"):
    if not answers[name].isprintable() or not answers[name].strip():
        sys.exit(f"{name} {answers[name]!r}: write one line of text.")
