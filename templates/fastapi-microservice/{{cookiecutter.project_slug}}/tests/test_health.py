"""The probes."""

from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url, text

import app.database
from app.database import Database, migrate
from app.settings import Settings
from tests.conftest import PATIENCE, fresh_database, serving


async def test_a_live_process_says_so(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_means_the_database_and_its_schema(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "schema": "ok"}}


async def test_probes_come_before_the_host_check(anonymous: httpx2.AsyncClient) -> None:
    for path in ("/livez", "/readyz"):
        answer = await anonymous.get(path, headers={"Host": "10.1.2.3"})
        assert answer.status_code == 200, path
    assert (await anonymous.get("/", headers={"Host": "10.1.2.3"})).status_code == 400


async def test_an_empty_database_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    empty = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/empty.sqlite3"})
    async with serving(empty) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {"database": "ok", "schema": "missing"}
        assert "migrate" in answer.json()["detail"]
        assert (await client.get("/livez")).status_code == 200


async def test_a_schema_older_than_the_code_is_not_ready(
    anonymous: httpx2.AsyncClient, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.read() as connection:
        present = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    (tmp_path / "next.py").write_text(f'revision: str = "next"\ndown_revision: str | None = "{present}"\n')
    monkeypatch.setattr(app.database, "VERSIONS", tmp_path)
    app.database._older_revisions.cache_clear()  # noqa: SLF001  as in a process that was just deployed
    answer = await anonymous.get("/readyz")
    app.database._older_revisions.cache_clear()  # noqa: SLF001
    assert (answer.status_code, answer.json()["checks"]["schema"]) == (503, "stale")


async def test_a_schema_newer_than_the_code_is_ready(anonymous: httpx2.AsyncClient, database: Database) -> None:
    async with database.write() as connection:
        head = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    try:
        assert (await anonymous.get("/readyz")).status_code == 200
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM alembic_version"))
        answer = await anonymous.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["schema"]) == (503, "missing")
    finally:
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM alembic_version"))
            await connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})


async def test_a_database_that_does_not_answer_is_not_ready(settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/nothing"})
    async with serving(gone) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "unavailable", "checks": {"database": "no answer"}}
        assert "secret" not in answer.text


END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


async def test_ready_again_when_the_database_is_back(settings: Settings, on_postgresql: bool, tmp_path: Path) -> None:
    """It goes and comes back, below a process that goes on: on PostgreSQL the server, on SQLite the file."""
    if on_postgresql:
        stop, start = "ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"
        with fresh_database(settings.database_url) as url:
            going = settings.model_copy(update={"database_url": url})
            migrate(going)
            name = make_url(url).database
            async with serving(going) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
                for command, status in ((start, 200), (stop, 503), (start, 200)):
                    with psycopg.connect(settings.database_url, autocommit=True) as admin:
                        admin.execute(f'ALTER DATABASE "{name}" {command}'.encode())
                        admin.execute(END_ALL, [name])
                    answers = [(await client.get("/readyz")).status_code for _ in range(3)]
                    assert answers[-1] == status, answers
                    assert (await client.get("/livez")).status_code == 200
    else:
        file = tmp_path / "going.sqlite3"
        going = settings.model_copy(update={"database_url": f"sqlite:///{file}"})
        migrate(going)
        away = tmp_path / "away"
        away.mkdir()
        for status in (200, 503, 200):
            if status == 503:
                for each in tmp_path.glob("going.sqlite3*"):
                    each.rename(away / each.name)
            else:
                for each in away.iterdir():
                    each.rename(tmp_path / each.name)
            async with serving(going) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
                assert (await client.get("/readyz")).status_code == status
