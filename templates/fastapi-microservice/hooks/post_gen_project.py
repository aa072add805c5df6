"""Put the chosen name and description into pyproject.toml and README.md; nothing else is different in each project."""

import json
import re
import sys
from pathlib import Path

answers = json.loads(r"""{{ cookiecutter | tojson }}""")
slug = answers["project_slug"]

pyproject = Path("pyproject.toml")
text = pyproject.read_text(encoding="utf-8")
if slug in re.findall(r'^ *(?:\w+ = \[)?"([a-z0-9-]+)', text, re.MULTILINE) + re.findall(r'[\[,] *"([a-z0-9-]+)', text):
    sys.exit(f"project_slug {slug!r}: a project cannot have the name of a package that it depends on.")
for key, value in (("name", slug), ("description", answers["description"])):
    # A JSON string without escapes for what is not ASCII is a TOML string too.
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    text = re.sub(rf"^{key} = .*$", line.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
pyproject.write_text(text, encoding="utf-8", newline="\n")

readme = Path("README.md")
_title, blank, _description, rest = readme.read_text(encoding="utf-8").split("\n", 3)
lines = [f"# {answers['project_name']}", blank, answers["description"], rest]
readme.write_text("\n".join(lines), encoding="utf-8", newline="\n")
