"""The page that answers the question, and the table of the twin: what they say follows from what was measured."""

import json
import tomllib
from pathlib import Path

import pytest

from workbench import answer, judged, site, starters


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder of results."""
    monkeypatch.setattr(answer, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_what_was_not_measured_is_not_said(results: Path) -> None:
    assert not results.exists()
    assert "not measured yet" in answer.page()
    assert answer.twin() == "Not measured yet."


def test_every_job_has_a_row_and_an_anchor() -> None:
    rows = [line for line in answer.jobs().splitlines() if "<a id=" in line]
    planned = tomllib.loads(answer.PLANNED.read_text("utf-8"))
    assert len(rows) == len({*planned, *(starter.name for starter in starters.all_starters())}) >= 10
    assert {line.count("|") for line in rows} == {6}
    for starter in starters.all_starters():
        assert sum(f'<a id="{starter.name}"></a>' in row for row in rows) == 1


def test_the_least_is_first_and_what_overlaps_has_no_order() -> None:
    said = answer.ordered({"slow": [50.0, 60.0], "quick": [9.0, 11.0], "nearly": [55.0, 70.0]})
    assert said == "quick **10.0** < slow **55** ≈ nearly **62**"
    assert "<" in answer.ordered({"once disturbed": [9.0, 9.1, 9.0, 9.1, 9.2, 30.0], "slow": [20.0, 20.1]})


def test_what_surprises_no_more_is_not_said() -> None:
    rows = {"more": [30.0], "less": [10.0], "nearly": [29.0]}
    assert answer.times(rows, "more", "less") == "3.0"
    with pytest.raises(ValueError, match=r"more is only 1\.03 times nearly"):
        answer.times(rows, "more", "nearly")
    assert answer.unnoticed({"a": [1.5], "b": [2.25]}) == "0.75"
    with pytest.raises(ValueError, match="are apart"):
        answer.unnoticed({"a": [1.5], "b": [12.0]})


def test_a_surprise_has_its_number_its_rows_and_its_command(results: Path) -> None:
    results.mkdir()
    rows = {"FastAPI, `def`": [100.0], "FastAPI, `async def`": [25.0]}
    kept = {"machine": "2 cores", "python": "3.14", "date": "2026-11-27", "seconds": 12, "what": "A word."}
    (results / "hello.json").write_text(json.dumps(kept | {"found": {"µs of CPU a request": rows}}))
    (line,) = (line for line in answer.surprises().splitlines() if '<a id="hello">' in line)
    assert "costs FastAPI 4.0 times what" in line
    assert "FastAPI, `async def` **25** < FastAPI, `def` **100**" in line
    assert "`nox -s surprise -- hello`, 12 s" in line
    assert "2 cores, Python 3.14, 2026-11-27" in answer.page()


def test_a_verdict_is_given_only_outside_the_spread() -> None:
    assert answer.verdict({"Django": [10.0, 12.0], "FastAPI": [5.0, 6.0]}) == "0.50"
    assert answer.verdict({"Django": [10.0, 12.0], "FastAPI": [11.0, 14.0]}) == "≈"
    assert answer.verdict({"Django": [2.0, 2.0], "FastAPI": [2.0, 2.0]}) == "1.00"
    assert answer.verdict({"Django": [10.0]}) == ""


def test_a_figure_is_taken_from_what_the_bench_has_printed(results: Path) -> None:
    facts = {"measured": {"says": "{0} times as much", "where": r"^ratio: (\d+)$"}}
    starter = starters.Starter("django-x", facts)
    assert answer.figure(starter) == "not measured yet"
    answer.keep("django-x", 'nox -s "bench(django-x)"', "2026-11-27  \nratio: 7\n")
    assert answer.figure(starter) == "7 times as much"
    assert (results / "django-x.txt").read_text("utf-8") == '$ nox -s "bench(django-x)"\n2026-11-27\nratio: 7\n'
    answer.keep("django-x", 'nox -s "bench(django-x)"', "ratio: 1234567\n")
    assert answer.figure(starter) == "1,234,567 times as much"
    answer.keep("django-x", "", "ratio: unknown")
    with pytest.raises(ValueError, match=r"docs/results/django-x\.txt has nothing of"):
        answer.figure(starter)


def test_the_twins_tables_have_their_ratio(results: Path) -> None:
    results.mkdir()
    read = {"Django": [100.0, 110.0], "FastAPI": [50.0, 70.0]}
    floors = {"Django's floor": [5.0], "FastAPI's floor": [6.0]}
    found = {
        "CPU of a request without a server, µs": {"read": read | floors},
        "CPU of a request, µs, both on granian": {"read": read},
        "Statements of a request": {"read": {"Django": [2.0, 2.0], "FastAPI": [1.0, 1.0]}},
    }
    kept = {"machine": "2 cores", "python": "3.14", "date": "2026-11-27", "versions": {"django": "6.1"}, "found": found}
    (results / "twin.json").write_text(json.dumps(kept))
    answer.keep("contract", "nox -s twin", "| rule |\n\nDjango keeps 3 of 3 (2026-11-27)")
    said = answer.twin()
    assert "| read, without a server | 105 (100 to 110) | 60 (50 to 70†) | 0.57 |" in said
    assert "| read, psycopg alone | 5.0 | 6.0 | 1.20 |" in said
    assert "| read, both on granian | 105" in said
    assert "| read | 2.0 | 1.0 | 0.50 |" in said
    assert "django 6.1" in said
    assert "Django keeps 3 of 3 (2026-11-27)" in said
    facts = {"measured": {"says": "{0} times", "twin": ["Django", "FastAPI"], "table": [*found][1], "row": "read"}}
    assert answer.figure(starters.Starter("x", facts)) == "1.8 times"


REPORT = """<testsuites><testsuite>
<testcase name="test_a_rule[1]"/>
<testcase name="test_a_rule[2]"><failure/></testcase>
<testcase name="test_another"/>
<testcase name="test_skipped"><skipped/></testcase>
</testsuite></testsuites>"""


def test_a_rule_is_kept_when_all_its_cases_are(tmp_path: Path) -> None:
    (report := tmp_path / "report.xml").write_text(REPORT)
    found = judged.rules(report)
    assert found == {"test_a_rule": "BROKEN", "test_another": "kept", "test_skipped": "not asked"}


def test_a_rule_about_which_nobody_was_asked_is_not_kept() -> None:
    everything = {name: judged.KEPT for names in judged.in_order().values() for name in names}
    assert len(everything) > 60
    assert not judged.broken({"Django": everything})
    assert judged.broken({"Django": everything, "FastAPI": dict(list(everything.items())[1:])})
    assert judged.broken({"Django": everything | {next(iter(everything)): judged.BROKEN}})
    assert judged.broken({})
    assert judged.table({"Django": everything}).count("| kept |") == len(everything)


def test_what_is_put_in_stands_as_far_to_the_right_as_it_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("def f() -> None:\n    pass\n")
    text = site.INCLUDE.sub(site.included({"a": tmp_path}), "    <!-- include: a/x.py:f -->\n")
    assert text == '    ```python title="x.py"\n    def f() -> None:\n        pass\n    ```\n'
