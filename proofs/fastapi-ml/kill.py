"""Whoever registers and promotes dies by kill -9, again and again, and so does a server: the registry is whole.

Run by `nox -s "proof(fastapi-ml)"`, which sets PROJECT (the generated project) and uses its Python. What must hold
after each death: a version has its file, which is what its digest says and passes its check; a model has one primary
version, that of its last promotion; generations have no gap; and two servers that were asked all the time have answered
each request, by the version that they named.
"""

import asyncio
import itertools
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
import httpx2  # noqa: E402  the project's own packages
from pydantic import SecretStr  # noqa: E402
from sqlalchemy import select  # noqa: E402

from app.database import Database, migrate  # noqa: E402
from app.inference.cards import Card  # noqa: E402
from app.inference.engine import Engine  # noqa: E402
from app.keys.services import create_key  # noqa: E402
from app.problems import Problem  # noqa: E402
from app.registry import services as registry  # noqa: E402
from app.registry.files import Files, once  # noqa: E402
from app.registry.models import Model, Promotion, Version  # noqa: E402
from app.settings import Settings  # noqa: E402
from tests import servers  # noqa: E402
from tests.models import times  # noqa: E402
from tests.processes import Application  # noqa: E402

KILLS = int(os.environ.get("KILLS", "40"))
CLIENTS = 8
NAME = "double"


async def work() -> None:
    """Register and promote for ever, one of several that do. Runs in a process of its own, until it is killed."""
    settings = Settings()
    database, files = Database(settings.async_database), Files(settings.model_folder)
    print("at work", flush=True)
    while True:
        made = times(random.randint(2, 200))
        await files.write(made.sha256, once(made.content))
        version = await registry.register(
            database, files, name=NAME, sha256=made.sha256, card=made.card, by=str(os.getpid())
        )
        try:
            await registry.promote(database, files, name=NAME, number=version.number, by=str(os.getpid()))
            if random.random() < 0.3:
                await registry.roll_back(database, files, name=NAME, by=str(os.getpid()))
        except Problem:
            pass  # somebody else was faster, or it is primary already


async def whole(database: Database, files: Files) -> tuple[int, int]:
    """How many versions and promotions there are. Raises AssertionError when they are not as they have to be."""
    async with database.read() as session:
        model = await session.scalar(select(Model).where(Model.name == NAME))
        if model is None:
            return 0, 0
    async with database.write() as session:  # all at one moment
        model = (await session.scalars(select(Model).where(Model.name == NAME).with_for_update())).one()
        versions = (await session.scalars(select(Version).order_by(Version.number))).all()
        promotions = (await session.scalars(select(Promotion).order_by(Promotion.generation))).all()
    assert [each.number for each in versions] == list(range(1, len(versions) + 1)), "numbers without a gap"
    assert [each.generation for each in promotions] == list(range(1, model.generation + 1)), "generations without a gap"
    primary = [each.number for each in versions if each.stage == "primary"]
    assert primary == [each.number for each in promotions][-1:], "the primary one is that of the last promotion"
    for before, after in itertools.pairwise(promotions):
        assert after.replaced == before.number, "each replaced the one before"
    for each in random.sample(versions, min(5, len(versions))) + list(versions[-3:]):
        Engine(files.read(each.sha256), Card.model_validate(each.card))
    for file in files.folder.glob("*.onnx"):
        files.read(file.stem)  # every file that has a name is what its name says
    return len(versions), len(promotions)


async def client(urls: list[str], key: str, answered: list[int]) -> None:
    """Asks for ever. A server that was killed does not answer; one that answers does so rightly."""
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 1]}]}
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        while True:
            try:
                answer = await http.post(f"{random.choice(urls)}/v2/models/{NAME}/infer", json=body)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 404:
                await asyncio.sleep(0.2)  # nothing is primary yet
                continue
            assert answer.status_code == 200, answer.text
            said = answer.json()
            answered.append(int(said["model_version"]))
            assert said["outputs"][0]["data"][0] == said["outputs"][0]["data"][1]


@contextmanager
def workers(settings: dict[str, str], count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that work, each in a session of its own."""
    command = [sys.executable, __file__, "work"]
    env = os.environ | settings
    running = [subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in running:
            assert process.stdout
            assert process.stdout.readline() == b"at work\n"
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def work_and_die(environment: dict[str, str]) -> None:
    """Two workers, for a moment."""
    with workers(environment, 2) as running:
        time.sleep(random.uniform(0.05, 1.5))
        for process in running:
            process.send_signal(signal.SIGKILL)


async def prove(on: str) -> None:
    """The whole, on one database."""
    started = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = f"sqlite:///{folder}/data.sqlite3"
        if on == "postgresql":
            url = stack.enter_context(servers.postgresql(fsync=True))
        environment = {
            "ENVIRONMENT": "test",
            "SECRET_KEY": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": url,
            "MODEL_FOLDER": f"{folder}/models",
            "LOG_LEVEL": "ERROR",
        }
        settings = Settings(_env_file=None, database_url=url, model_folder=Path(folder) / "models", environment="test")
        migrate(settings)
        database, files = Database(settings.async_database), Files(settings.model_folder)
        key = await create_key(
            database,
            secret_key=SecretStr(environment["SECRET_KEY"]),
            label="proof",
            scope="predict",
            per_minute=10**7,
            lasts=timedelta(days=1),
        )
        applications = [stack.enter_context(Application(environment)) for _ in range(2)]
        answered = list[int]()
        clients = [
            asyncio.create_task(client([each.url for each in applications], key, answered)) for _ in range(CLIENTS)
        ]
        versions = promotions = 0
        for number in range(KILLS):
            await asyncio.to_thread(work_and_die, environment)
            if number % 5 == 4:
                victim = random.choice(applications)
                await asyncio.to_thread(victim.kill)
                await asyncio.to_thread(victim.start)
            versions, promotions = await whole(database, files)
            for task in clients:
                if task.done():
                    task.result()
        await asyncio.sleep(2.5)
        last = (await registry.primaries(database))[0].primary
        async with httpx2.AsyncClient() as http:
            for each in applications:
                served = (await http.get(f"{each.url}/live")).json()[NAME]["version"]
                assert served == last, f"a server serves {served}, and {last} is primary"
        for task in clients:
            task.cancel()
        await asyncio.wait(clients)
        halves = len(list(files.folder.glob(".*")))
        await database.close()
    print(
        f"{on}: {KILLS} times two workers killed, a server {KILLS // 5} times; {versions} versions and {promotions} "
        f"promotions, whole each time; {halves} files without a name were left; {len(answered)} answers by "
        f"{len(set(answered))} versions; {time.monotonic() - started:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["work"]:
        asyncio.run(work())
    for name in sys.argv[1:] or ["sqlite", "postgresql"]:
        asyncio.run(prove(name))
