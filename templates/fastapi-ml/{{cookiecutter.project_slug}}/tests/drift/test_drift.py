"""Drift: raised by what is shifted, and hardly ever by chance."""

import asyncio

import httpx2
import numpy as np
import pytest
from playwright.async_api import expect
from sqlalchemy import select

from app.database import Database
from app.drift.models import Report
from app.drift.services import AT_ONCE, Watch, binned, drift
from app.drift.statistics import chi_square, judge, kolmogorov_smirnov, psi
from app.inference.cards import Statistics
from app.keys.services import Holder
from app.registry import services as registry
from app.serving.batching import Lane
from app.serving.shelf import Shelf
from app.settings import Settings
from tests.browser.fixtures import Visit, accessible
from tests.conftest import Connect, Serve, a_key
from tests.models import trained
from tests.serving.test_batching import Engine, scheduler
from tests.serving.test_batching import lane as any_lane

CARD = trained("linear").card
ADA = Holder("ada", "predict", 1)
RNG = np.random.default_rng(7)


def draw(rows: int, rng: np.random.Generator, *, late: bool = False) -> dict[str, np.ndarray]:
    """Rows as in training, or all in the evening and of one carrier."""
    found: dict[str, np.ndarray] = {}
    for name, known in CARD.statistics.items():
        share = np.array(known.counts) / sum(known.counts)
        bins = rng.choice(len(share), rows, p=share)
        if known.categories:
            found[name] = np.array([[known.categories[each]] for each in bins], object)
        else:
            edges = np.array(known.edges)
            values = edges[bins] + (edges[bins + 1] - edges[bins]) * rng.random(rows) * 0.999
            found[name] = values.astype(np.float32).reshape(-1, 1)
    if late:
        found["hour"] = np.full((rows, 1), 21, np.float32)
        found["carrier"] = np.full((rows, 1), "HA", object)
    return found


def judged(rows: dict[str, np.ndarray]) -> set[str]:
    """The inputs that are raised."""
    return {
        name
        for name, known in CARD.statistics.items()
        if judge(
            name,
            known.counts,
            binned(known, rows[name]).tolist(),
            [],
            ordered=known.categories is None,
            of=len(CARD.statistics),
        ).raised
    }


def test_what_is_shifted_is_raised_and_nothing_else() -> None:
    assert judged(draw(500, np.random.default_rng(1), late=True)) == {"hour", "carrier"}


@pytest.mark.parametrize("rows", [200, 1000, 5000])
def test_what_is_not_shifted_is_hardly_ever_raised(rows: int) -> None:
    """In 200 draws; one false alarm in a thousand is what the threshold promises."""
    alarms = sum(bool(judged(draw(rows, np.random.default_rng(seed)))) for seed in range(200))
    assert alarms <= 2


def test_a_few_rows_say_nothing() -> None:
    assert judged(draw(150, np.random.default_rng(1), late=True)) == set()


def test_the_measures_are_those_of_the_books() -> None:
    """scipy's, on the same counts."""
    from scipy import stats  # noqa: PLC0415

    trained_, seen = [300, 200, 400, 100], [70, 58, 82, 31]
    chi = stats.chi2_contingency([trained_, seen])
    statistic, p = chi_square(trained_, seen)
    assert statistic == pytest.approx(chi.statistic)
    assert p == pytest.approx(chi.pvalue, rel=0.1)
    one, two = np.repeat(range(4), trained_), np.repeat(range(4), seen)
    distance, p = kolmogorov_smirnov(trained_, seen)
    ks = stats.ks_2samp(one, two, method="asymp")
    assert distance == pytest.approx(ks.statistic)
    assert p == pytest.approx(ks.pvalue, rel=0.3)
    assert psi([10, 10], [1000, 1000]) == pytest.approx(0, abs=1e-3)
    assert psi([700, 300], [300, 700]) == pytest.approx(0.8 * np.log(7 / 3) / 1, rel=0.02)


def test_values_are_counted_in_the_bins_of_training() -> None:
    known = Statistics(edges=[0.0, 1.0, 2.0, 3.0], counts=[1, 1, 1])
    assert binned(known, np.array([[-5.0], [0.5], [1.0], [2.9], [99.0]])).tolist() == [2, 1, 2]
    words = Statistics(categories=["a", "b"], counts=[1, 1])
    assert binned(words, np.array([["b"], ["b"], ["z"]], object)).tolist() == [0, 2]


async def test_what_several_processes_count_is_one_sum(database: Database) -> None:
    lane = any_lane(Engine())
    lane.card = CARD
    shelf = Shelf(database, None, scheduler())  # type: ignore[arg-type]
    for seed in range(3):
        watch = Watch(database, shelf)
        rows = draw(300, np.random.default_rng(seed), late=True)
        watch.note(ADA, lane, rows, {})
        watch.note(ADA, lane, rows, {})
        await watch.write()
    found = {each.input: each for each in await drift(database, name="test", number=1, card=CARD)}
    assert found["hour"].rows == 1800
    assert {name for name, each in found.items() if each.raised} == {"hour", "carrier"}


async def test_an_hour_has_one_report_whoever_looks(
    database: Database, serve: Serve, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    from app.registry.files import Files  # noqa: PLC0415

    name = await serve(trained("linear"))
    shelf = Shelf(database, Files(settings.model_folder), scheduler())
    await shelf.refresh()
    lane: Lane = await shelf.lane(name)
    watches = [Watch(database, shelf) for _ in range(2)]
    await watches[0].judge()  # of what nobody has asked there is no report
    watches[0].note(ADA, lane, draw(500, RNG, late=True), {})
    await watches[0].write()
    for watch in watches:
        await watch.judge()
    async with database.read() as session:
        (report,) = (await session.scalars(select(Report).where(Report.model == name))).all()
    assert set(report.raised) == {"hour", "carrier"}
    assert report.psi["hour"] > 1
    ours = [record for record in caplog.records if "other things than it learned" in record.getMessage()]
    assert len([record for record in ours if name in record.getMessage()]) == 1
    assert await registry.primaries(database)


async def test_it_is_for_who_is_known(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/api/v1/models/x/drift")).status_code == 401
    assert (await anonymous.get("/drift")).status_code == 401


async def test_what_is_asked_over_http_is_on_the_page(
    program: Connect, serve: Serve, visit: Visit, database: Database, settings: Settings
) -> None:
    name, client = await serve(trained("linear")), await program()
    rows = draw(300, RNG, late=True)
    inputs = [
        {
            "name": column,
            "datatype": "BYTES" if values.dtype == object else "FP32",
            "shape": [300, 1],
            "data": values.ravel().tolist(),
        }
        for column, values in rows.items()
    ]
    assert (await client.post(f"/v2/models/{name}/infer", json={"inputs": inputs})).status_code == 200
    for _ in range(400):
        found = (await client.get(f"/api/v1/models/{name}/drift")).json()
        if found[0]["rows"]:
            break
        await asyncio.sleep(0.1)
    assert {each["input"] for each in found if each["raised"]} == {"hour", "carrier"}
    headers = {"Authorization": f"Bearer {await a_key(database, settings)}"}
    page = await visit("/drift", extra_http_headers=headers)
    card = page.get_by_role("region", name=name)
    await expect(card.get_by_text("hour has drifted.")).to_be_visible()
    await expect(card.get_by_role("img")).to_have_count(6)
    await accessible(page)


def test_what_waits_to_be_counted_is_little_and_keeps_no_body(database: Database) -> None:
    watch, lane = Watch(database, None), any_lane(Engine())  # type: ignore[arg-type]
    lane.card = CARD
    some = draw(10, RNG)
    watch.note(ADA, lane, some, {})
    kept = watch.waiting[lane]
    assert {name: (len(values[0]), values[0].base) for name, values in kept.items()} == dict.fromkeys(some, (10, None))
    watch.note(ADA, lane, draw(AT_ONCE, RNG), {})
    assert not watch.waiting
