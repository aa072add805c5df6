"""Serving as a client sees it: changes without a gap, overload, clients that go away."""

import asyncio
import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import select, update
from starlette.requests import Request

from app.database import Database
from app.inference import engine
from app.inference.engine import Engine
from app.keys.services import Holder
from app.registry import services as registry
from app.registry.files import Files
from app.registry.models import Model, Version
from app.serving import bodies
from app.serving import shelf as shelves
from app.serving.predict import predict
from app.serving.shelf import Shelf
from app.settings import Settings
from tests.conftest import PATIENCE, Connect, Serve, a_key, serving
from tests.models import heavy, times
from tests.processes import Application
from tests.serving.test_batching import Engine as AnyEngine
from tests.serving.test_batching import lane as any_lane
from tests.serving.test_batching import rows, scheduler
from tests.serving.test_protocol import X, ask

ADA = Holder("ada", "predict", 1)


def in_a_process(settings: Settings, **more: str) -> Application:
    """The application in a process of its own, on the tests' database and files."""
    return Application(
        {
            "ENVIRONMENT": "test",
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": settings.database_url,
            "MODEL_FOLDER": str(settings.model_folder),
            **more,
        }
    )


async def test_ten_changes_under_sixty_four_clients_in_two_processes_drop_nothing(
    settings: Settings, database: Database, serve: Serve
) -> None:
    """Eleven versions, each the primary one once: an answer of one that is over by two seconds would be seen."""
    name = await serve(*(times(factor) for factor in range(2, 13)))
    files, token = Files(settings.model_folder), await a_key(database, settings, per_minute=10**7)
    begins, ends = {1: 0.0}, dict[int, float]()  # when a promotion was asked for; when that of the next was done
    answered, lag = Counter[int](), 0.0

    async def feel_the_lag() -> None:
        """How long this machine lets one wait that wants to go on: the processes wait as long, now and then."""
        nonlocal lag
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.05)
            lag = max(lag, 3 * (time.monotonic() - began - 0.05))

    async def client(url: str, until: asyncio.Event) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as http:
            while not until.is_set():
                asked = time.monotonic()
                answer = await ask(http, name, X)
                assert answer.status_code == 200, answer.text
                version = int(answer.json()["model_version"])
                assert answer.json()["outputs"][0]["data"][0] == version + 1, "it is of the version that it names"
                assert version in begins, f"version {version} is not primary yet"
                over = asked - ends.get(version, asked)
                assert over <= 2 + lag, f"version {version} is over by {over:.1f} s"
                answered[version] += 1

    patient = {"DEADLINE_SECONDS": str(PATIENCE)}
    with in_a_process(settings, **patient) as one, in_a_process(settings, **patient) as two:
        done = asyncio.Event()
        feeling = asyncio.create_task(feel_the_lag())
        clients = [asyncio.create_task(client(each.url, done)) for each in [one, two] * 32]
        for number in range(2, 12):
            await asyncio.sleep(1.1)
            begins[number] = time.monotonic()
            await registry.promote(database, files, name=name, number=number, by="test")
            ends[number - 1] = time.monotonic()
        await asyncio.sleep(2.5 + lag)
        done.set()
        await asyncio.gather(*clients)
        feeling.cancel()
        for each in (one, two):
            async with httpx2.AsyncClient(base_url=each.url, timeout=PATIENCE) as http:
                assert (await http.get("/live")).json()[name]["version"] == 11
    assert len(answered) > 5, answered


async def test_a_primary_that_fails_its_check_in_a_process_does_not_replace_the_one_before(
    settings: Settings, database: Database, serve: Serve, program: Connect
) -> None:
    name = await serve(times(2), times(3))
    client = await program()
    await registry.promote(database, Files(settings.model_folder), name=name, number=2, by="test")
    path = settings.model_folder / f"{times(3).sha256}.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        async with (
            serving(settings) as fresh,
            httpx2.AsyncClient(base_url=fresh, headers=client.headers, timeout=PATIENCE) as other,
        ):
            answer = await ask(other, name, X)
            assert answer.status_code == 404
            assert "no primary version that can be served" in answer.json()["error"]
            ready = (await other.get("/readyz")).json()
            assert (ready["status"], ready["checks"]["models"]) == ("degraded", "no answer")
            assert (await other.get("/v2/health/ready")).status_code == 404
    finally:
        path.write_bytes(whole)


async def test_the_version_before_goes_on_when_the_new_one_cannot_be_loaded_here(
    settings: Settings, database: Database, serve: Serve, program: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.serving.shelf.TRY_AGAIN", 0.2)
    name, client = await serve(times(2), times(3)), await program()
    path = settings.model_folder / f"{times(3).sha256}.onnx"
    content = path.read_bytes()
    loaded = Engine.__init__

    def spoil_after_the_check(self: Engine, content: bytes, card: Any, *, inspected: bool = False) -> None:
        loaded(self, content, card, inspected=inspected)
        path.unlink(missing_ok=True)  # the promotion's own check is done; the process that serves finds nothing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "__init__", spoil_after_the_check)
        await registry.promote(database, Files(settings.model_folder), name=name, number=2, by="test")
        await asyncio.sleep(0.3)
        await until(client, "degraded")
    answer = await ask(client, name, X)
    assert (answer.status_code, answer.json()["model_version"]) == (200, "1")
    path.write_bytes(content)
    await until(client, "ready")  # it is tried again
    assert (await ask(client, name, X)).json()["model_version"] == "2"


async def test_a_faulty_version_that_is_rolled_back_is_forgotten(
    settings: Settings, database: Database, serve: Serve, program: Connect
) -> None:
    name, client, files = await serve(times(2), times(3)), await program(), Files(settings.model_folder)
    async with database.write() as session:  # as if the file had gone before this process looked
        mine = select(Model.id).where(Model.name == name).scalar_subquery()
        gone = update(Version).where(Version.sha256 == times(3).sha256, Version.model_id == mine)
        await session.execute(gone.values(sha256="0" * 64))
    await registry_promotes(database, name, 2)
    await until(client, "degraded")
    await registry.roll_back(database, files, name=name, by="test")
    await until(client, "ready")
    assert (await client.get("/v2/health/ready")).status_code == 200


async def registry_promotes(database: Database, name: str, number: int) -> None:
    """As another host does, which has the file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Files, "read", lambda *_: b"")
        patch.setattr(registry, "Engine", lambda *_: None)
        await registry.promote(database, Files(Path()), name=name, number=number, by="test")


async def until(client: httpx2.AsyncClient, status: str) -> None:
    """Wait until the process says so of itself."""
    async with asyncio.timeout(PATIENCE):
        while (await client.get("/readyz")).json()["status"] != status:
            await asyncio.sleep(0.05)


async def test_a_card_that_this_release_does_not_know_keeps_no_other_model_from_being_served(
    settings: Settings, database: Database, serve: Serve
) -> None:
    strange, plain = await serve(times(2)), await serve(times(3))
    async with database.write() as session:
        mine = select(Model.id).where(Model.name == strange).scalar_subquery()
        card = json.loads(times(2).card.model_dump_json()) | {"of_next_year": 1}
        await session.execute(update(Version).where(Version.model_id == mine).values(card=card))
    headers = {"Authorization": f"Bearer {await a_key(database, settings)}"}
    async with serving(settings) as fresh, httpx2.AsyncClient(base_url=fresh, headers=headers, timeout=PATIENCE) as one:
        assert (await ask(one, plain, X)).status_code == 200
        assert (await ask(one, strange, X)).status_code == 404
        assert (await one.get("/readyz")).json()["status"] == "degraded"


async def test_overload_is_refused_at_once_and_passes(
    settings: Settings, serve: Serve, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = settings.model_copy(update={"longest_queue": 4, "longest_batch": 1, "inference_threads": 1})
    name, token = await serve(heavy()), await a_key(database, settings)
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1024], "data": [0.01] * 1024}]}
    headers = {"Authorization": f"Bearer {token}"}
    async with serving(small) as address, httpx2.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        run = Engine.run

        def slow(self: Engine, tensors: Any) -> Any:
            time.sleep(0.05)  # however fast the machine is, the clients are faster
            return run(self, tensors)

        monkeypatch.setattr(Engine, "run", slow)

        async def one() -> httpx2.Response:
            return await client.post(f"/v2/models/{name}/infer", json=body)

        answers = await asyncio.gather(*(one() for _ in range(80)))
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}, statuses
        assert statuses[503] > 5
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json().keys() == {"error"}
        assert (await one()).status_code == 200
        assert (await client.get("/live")).json()[name]["waiting"] == 0


async def test_a_client_that_goes_away_frees_its_place(
    settings: Settings,
    serve: Serve,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate, runs, run = threading.Event(), list[int](), Engine.run

    def gated(self: Engine, tensors: Any) -> Any:
        runs.append(1)
        gate.wait(PATIENCE)
        return run(self, tensors)

    one_thread = settings.model_copy(update={"inference_threads": 1})
    name, token = await serve(times(2)), await a_key(database, settings)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        serving(one_thread) as address,
        httpx2.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE) as client,
    ):
        monkeypatch.setattr(Engine, "run", gated)

        async def until_there_wait(count: int) -> None:
            async with asyncio.timeout(PATIENCE):
                while (await client.get("/live")).json()[name]["waiting"] != count:
                    await asyncio.sleep(0.01)

        stays = asyncio.create_task(ask(client, name, X))
        while not runs:
            await asyncio.sleep(0.01)
        gone = [asyncio.create_task(ask(client, name, X)) for _ in range(5)]
        await until_there_wait(5)
        for task in gone:
            task.cancel()
        await until_there_wait(0)
        assert not stays.done(), "the thread has been busy all the time"
        gate.set()
        assert (await stays).status_code == 200
    assert len(runs) == 1, "what nobody waited for was not computed"
    assert "Traceback" not in caplog.text, "that a client goes away is no fault"


async def test_other_versions_are_loaded_when_they_are_asked_for_and_few_are_kept(
    program: Connect, serve: Serve
) -> None:
    name = await serve(*(times(n) for n in range(2, 14)))
    client = await program()
    for round_ in range(2):
        for version in range(1, 13):
            answer = await client.post(f"/v2/models/{name}/versions/{version}/infer", json={"inputs": [X]})
            assert answer.json()["outputs"][0]["data"][0] == version + 1, round_


async def test_one_that_has_been_asked_by_many_at_once_is_loaded_once(
    program: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, client, loads = await serve(times(2), times(3)), await program(), []
    load = Engine.__init__

    def count(self: Engine, content: bytes, card: Any, *, inspected: bool) -> None:
        loads.append(1)
        load(self, content, card, inspected=inspected)

    monkeypatch.setattr(Engine, "__init__", count)
    url = f"/v2/models/{name}/versions/2/infer"
    answers = await asyncio.gather(*(client.post(url, json={"inputs": [X]}) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(loads) == 1


async def test_many_models_are_served_side_by_side(program: Connect, serve: Serve) -> None:
    names = [await serve(times(factor)) for factor in (2, 3, 4)]
    client = await program()
    answers = await asyncio.gather(*(ask(client, name, X) for name in names * 10))
    assert [answer.json()["outputs"][0]["data"][0] for answer in answers] == [2.0, 3.0, 4.0] * 10


async def test_of_the_versions_asked_for_by_number_those_make_room_that_nobody_has_asked_for_longest(
    database: Database, serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "MOST_OTHERS", 2)
    name = await serve(*(times(n) for n in (2, 3, 4, 5)))
    shelf = Shelf(database, Files(settings.model_folder), scheduler())
    await shelf.refresh()
    second, third = await shelf.numbered(name, 2), await shelf.numbered(name, 3)
    assert await shelf.numbered(name, 2) is second, "still there, and now the one that was asked for last"
    await shelf.numbered(name, 4)
    assert await shelf.numbered(name, 2) is second
    assert await shelf.numbered(name, 3) is not third, "it had to be loaded anew"


async def test_a_file_is_inspected_when_it_is_registered_and_promoted_and_not_by_each_process(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspected = list[bytes]()
    monkeypatch.setattr(engine, "inspect", inspected.append)
    await serve(times(2))  # returns when a process has loaded it
    assert len(inspected) == 2


async def test_what_is_long_is_read_in_a_thread(
    program: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second of work for one request must not keep everybody else waiting."""
    client, name, threads, parse = await program(), await serve(times(2)), list[threading.Thread](), bodies.parse

    def noted(content: memoryview, told: str) -> Any:
        threads.append(threading.current_thread())
        return parse(content, told)

    monkeypatch.setattr(bodies, "parse", noted)
    for count in (2, 20_000):
        assert (await ask(client, name, X | {"shape": [count, 2], "data": [1.0] * 2 * count})).status_code == 200
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


async def test_an_observer_that_fails_costs_nobody_the_answer(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    told = []

    def failing(*_: Any) -> None:
        raise RuntimeError

    async def receive() -> Any:
        await asyncio.sleep(PATIENCE)

    state: Any = {"settings": settings, "observers": [failing, lambda *all_: told.append(all_)]}
    to, request = any_lane(AnyEngine()), Request({"type": "http"}, receive)
    for _ in range(2):  # in a thread, and where it is
        found = await predict(request, state, ADA, to, rows(1.0, width=2), began=time.perf_counter())
        assert found["y"].tolist() == [[2, 2]]
    assert len(told) == 2, "and none to those after it"
    assert caplog.text.count("was answered, and not observed") == 2


async def test_a_request_is_a_span_of_the_route_that_it_took(
    program: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI's own telemetry, as FASTAPI_OTEL_AUTO_CONFIGURE=true sets it up, but for where the spans go."""
    name, client = await serve(times(2)), await program()
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with monkeypatch.context() as patch:
        patch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
        assert (await ask(client, name, X)).status_code == 200
        assert (await ask(client, name)).status_code == 400
    route = "/v2/models/{name}/infer"
    spans = [span for span in kept.get_finished_spans() if span.name == f"POST {route}"]
    assert [(span.attributes or {}).get("http.response.status_code") for span in spans] == [200, 400]
    assert {(span.attributes or {}).get("http.route") for span in spans} == {route}


async def test_what_a_process_has_made_for_its_life_is_not_looked_through_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = []
    monkeypatch.setattr("app.main.gc.freeze", lambda: frozen.append(True))
    monkeypatch.setattr("app.main.gc.unfreeze", lambda: frozen.append(False))
    async with serving(settings.model_copy(update={"environment": "development"})):
        assert frozen == [True]
    assert frozen == [True, False]


async def test_a_short_cut_is_described_like_any_route(anonymous: httpx2.AsyncClient) -> None:
    paths = (await anonymous.get("/api/v1/openapi.json")).json()["paths"]
    for path, names in (("/infer", ["name"]), ("/versions/{version}/infer", ["name", "version"])):
        described = paths["/v2/models/{name}" + path]["post"]
        assert [each["name"] for each in described["parameters"]] == names
