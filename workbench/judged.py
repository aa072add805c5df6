"""What the suite of a contract said of several servers: one table, a row for each rule."""

import ast
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from workbench.starters import CONTRACTS

KEPT, BROKEN, NOT_ASKED = "kept", "BROKEN", "not asked"
type Verdicts = Mapping[str, Mapping[str, str]]  # server → rule → word


def rules(report: Path) -> dict[str, str]:
    """Each rule and whether it is kept, from pytest's report (JUnit XML). A test is a rule, whatever its parameters."""
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314  pytest wrote it
        name = case.attrib["name"].partition("[")[0]
        wrong = {"failure", "error"} & {child.tag for child in case}
        skipped = any(child.tag == "skipped" for child in case)
        word = BROKEN if wrong else NOT_ASKED if skipped else KEPT
        if found.get(name) != BROKEN:
            found[name] = word
    return found


def in_order() -> dict[str, list[str]]:
    """The rules of the core, by the file of the suite that has them, as they stand there."""
    found = {}
    for file in sorted((CONTRACTS / "stock" / "suite").glob("test_*.py")):
        if not file.name.startswith("test_full_"):
            tree = ast.parse(file.read_text("utf-8"))
            names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
            found[file.stem.removeprefix("test_")] = [name for name in names if name.startswith("test_")]
    return found


def table(verdicts: Verdicts) -> str:
    """As Markdown: a rule in each row, a server in each column."""
    servers = list(verdicts)
    lines = ["| rule | " + " | ".join(servers) + " |", "|---" * (len(servers) + 1) + "|"]
    for part, names in in_order().items():
        lines.append(f"| **{part}** |" + " |" * len(servers))
        for name in names:
            words = [verdicts[server].get(name, NOT_ASKED) for server in servers]
            said = name.removeprefix("test_").replace("_", " ")
            lines.append(f"| {said} | " + " | ".join(words) + " |")
    return "\n".join([*lines, "", summary(verdicts)])


def summary(verdicts: Verdicts) -> str:
    """How many rules each server keeps."""
    each = [
        f"{name} keeps {sum(word == KEPT for word in said.values())} of {len(said)}" for name, said in verdicts.items()
    ]
    return "; ".join(each)


def broken(verdicts: Verdicts) -> bool:
    """Whether any server breaks a rule, or was not asked about one."""
    wanted = {name for names in in_order().values() for name in names}
    return not verdicts or any(each.get(name, NOT_ASKED) != KEPT for each in verdicts.values() for name in wanted)
