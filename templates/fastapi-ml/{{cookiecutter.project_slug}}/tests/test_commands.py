"""The commands, each in a folder of its own; those that serve in a process of their own."""

import asyncio
import json
import re
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from app import __main__ as commands
from app.settings import Settings
from tests.conftest import PASSWORD, Meet
from tests.processes import PROJECT, Application, clean_environment
from tests.servers import free_port, wait_until

PRODUCTION = {"SECRET_KEY": "x" * 32, "ALLOWED_HOSTS": "rooms.example"}


def run(*arguments: str, cwd: Path, given: str = "", **settings: str) -> Result:
    """`python -m app …` there, with these settings only."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.chdir(cwd)
        return CliRunner().invoke(commands.cli, list(arguments), input=given)


def test_serve_refuses_without_a_secret_and_hosts(tmp_path: Path) -> None:
    answer = run("serve", cwd=tmp_path)
    assert answer.exit_code == 2
    assert "SECRET_KEY is not set" in answer.stderr
    assert "ALLOWED_HOSTS is not set" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    answer = run("check", cwd=tmp_path, DATABASE_URL="mysql://x", PORT="many")
    assert answer.exit_code == 2
    assert [line.partition(":")[0] for line in answer.stderr.splitlines()] == ["DATABASE_URL", "PORT"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (PRODUCTION, 0, "All is well"),
        ({}, 1, "SECRET_KEY is not set"),
        (PRODUCTION | {"ENVIRONMENT": "development"}, 1, "no HTTPS"),
    ],
)
def test_check_deploy_says_what_is_not_fit(tmp_path: Path, given: dict[str, str], code: int, words: str) -> None:
    answer = run("check", "--deploy", cwd=tmp_path, **given)
    assert answer.exit_code == code
    assert words in answer.stdout + answer.stderr


def test_settings_are_read_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SECRET_KEY=" + "x" * 32 + "\nALLOWED_HOSTS=rooms.example\n")
    assert run("check", "--deploy", cwd=tmp_path).exit_code == 0


def test_an_account_is_made_once_with_a_good_password(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    short = run("adduser", "ada", cwd=tmp_path, given="short\nshort\n")
    assert (short.exit_code, "Password" in short.stderr) == (2, True)
    assert run("adduser", "no spaces", cwd=tmp_path, given=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 2
    assert run("adduser", "Ada", cwd=tmp_path, given=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    again = run("adduser", "ada", cwd=tmp_path, given=f"{PASSWORD}\n{PASSWORD}\n")
    assert (again.exit_code, "another name" in again.stderr) == (1, True)


def test_a_new_password_is_given_by_command(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    run("adduser", "ada", cwd=tmp_path, given=f"{PASSWORD}\n{PASSWORD}\n")
    assert run("passwd", "ada", cwd=tmp_path, given="another password\nanother password\n").exit_code == 0
    nobody = run("passwd", "nobody", cwd=tmp_path, given=f"{PASSWORD}\n{PASSWORD}\n")
    assert (nobody.exit_code, "Nobody is called" in nobody.stderr) == (1, True)


def demo(cwd: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """A running demo; what it prints is in the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo", "--port", str(port)],
            cwd=cwd,
            env=clean_environment() | {"PYTHONPATH": str(PROJECT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    wait_until(lambda: b"Uvicorn running" in log.read_bytes(), process)
    return process


def test_the_demo_works_and_works_again_on_its_data(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    cookie = ""
    for start in (1, 2):
        process = demo(tmp_path, port, log := tmp_path / f"{start}.log")
        try:
            accounts = dict(re.findall(r"^    (\w+) +(\S+)$", log.read_text(), re.MULTILINE))
            assert set(accounts) == {"ada", "grace", "linus"}
            with httpx2.Client(base_url=address) as client:
                if cookie:
                    headers = {"Cookie": f"session={cookie}"}
                    assert client.get("/api/v1/session", headers=headers).status_code == 200, "still signed in"
                answer = client.post("/api/v1/session", json={"name": "ada", "password": accounts["ada"]})
                assert answer.status_code == 201
                cookie = client.cookies["session"]
                rooms = client.get("/api/v1/rooms").json()["items"]
                assert [room["name"] for room in rooms] == ["General", "Launch", "Two of us"]
                client.post(
                    f"/api/v1/rooms/{rooms[0]['id']}/messages",
                    json={"client_id": f"start-number-{start}", "body": "hi"},
                )
                said = client.get(f"/api/v1/rooms/{rooms[0]['id']}/messages").json()["items"]
                assert [event["body"] for event in said].count("hi") == start
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) in (0, 130)
        assert commands.free_port(preferred=port) == port, "the windows that are open find it again"
        assert "Traceback" not in log.read_text()


def test_the_demo_takes_another_port_when_its_own_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert commands.free_port(preferred=taken) != taken


@pytest.mark.parametrize(
    "given",
    [{"ENVIRONMENT": "production"}, {"DATABASE_URL": "sqlite:///x"}, {"DATABASE_URL": "postgresql://host/name"}],
)
def test_the_demo_touches_nothing_that_is_not_its_own(tmp_path: Path, given: dict[str, str]) -> None:
    answer = run("demo", cwd=tmp_path, **given)
    assert answer.exit_code == 2
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["app dev", "fastapi dev"])
def test_dev_serves(tmp_path: Path, command: str) -> None:
    (tmp_path / ".env").write_text((PROJECT / ".env.example").read_text())
    port = str(free_port())
    module = command.partition(" ")[0]
    more = ["--port", port, "--no-reload", "--entrypoint", "app.asgi:app"] if module == "fastapi" else []
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.split(), *more],
            cwd=tmp_path,
            env=clean_environment() | {"PYTHONPATH": str(PROJECT), "PORT": port},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:

            def answers() -> bool:
                try:
                    return client.get("/").status_code == 200
                except httpx2.TransportError:
                    return False

            wait_until(answers, process)
            ready = client.get("/readyz").json()["status"]
            assert ready == ("ready" if module == "app" else "unavailable"), "dev migrates, fastapi dev does not"
    finally:
        process.terminate()
        process.wait(10)


def served(settings: Settings, **more: str) -> Application:
    """The application on the tests' database."""
    return Application(
        {
            "ENVIRONMENT": "test",
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": settings.database_url,
            **more,
        }
    )


async def test_sigterm_closes_sockets_with_1012_and_ends_within_three_seconds(meet: Meet, settings: Settings) -> None:
    ada = await meet("ada")
    with served(settings) as application:
        url = application.url.replace("http", "ws") + "/ws"
        async with connect(url, additional_headers={"Cookie": ada.cookie}, proxy=None) as socket:
            await socket.recv()
            stop = asyncio.create_task(asyncio.to_thread(application.stop))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1012
            async with asyncio.timeout(5):
                await stop


async def test_what_was_acknowledged_survives_kill_9(meet: Meet, settings: Settings) -> None:
    ada = await meet("ada")
    room = (await ada.client.post("/api/v1/rooms", json={"name": "General"})).json()["id"]
    path, acknowledged, sent = f"/api/v1/rooms/{room}/messages", set[str](), set[str]()
    for _ in range(3):
        application = served(settings).start()

        async def write(client: httpx2.AsyncClient) -> None:
            while True:
                body = secrets.token_hex(8)
                sent.add(body)
                try:
                    answer = await client.post(path, json={"client_id": body, "body": body})
                except httpx2.TransportError:
                    return
                assert answer.status_code == 201
                acknowledged.add(body)

        async with httpx2.AsyncClient(base_url=application.url, headers={"Cookie": ada.cookie}) as client:
            writers = asyncio.gather(*(write(client) for _ in range(4)))
            await asyncio.sleep(0.7)
            await asyncio.to_thread(application.kill)
            await writers
    events = list[dict[str, Any]]()
    query = "limit=100"
    while query:
        page = (await ada.client.get(f"{path}?{query}")).json()
        events += page["items"]
        query = page["next"] and f"limit=100&cursor={page['next']}"
    found = [event["body"] for event in events if event["kind"] == "message"]
    assert acknowledged
    assert acknowledged <= set(found) <= sent
    assert len(found) == len(set(found))
    assert [event["seq"] for event in events] == list(range(len(events), 0, -1)), "no gap"


@pytest.mark.skipif(sys.platform == "win32", reason="uvicorn's workers are stopped by signals")
async def test_several_processes_serve_one_address(meet: Meet, settings: Settings) -> None:
    ada = await meet("ada")
    with served(settings, WEB_CONCURRENCY="2") as application:
        async with httpx2.AsyncClient(base_url=application.url, headers={"Cookie": ada.cookie}) as client:
            for _ in range(10):
                assert (await client.get("/api/v1/session")).json()["name"] == "ada"


def test_the_log_is_json_in_production(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    port = str(free_port())
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=tmp_path,
            env=clean_environment() | {"PYTHONPATH": str(PROJECT), "PORT": port} | PRODUCTION,
            stderr=log,
        )
    wait_until(lambda: b"Uvicorn running" in (tmp_path / "log").read_bytes(), process)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.get("/?token=hidden", headers={"Host": "rooms.example", "X-Request-ID": "request-1"})
    process.terminate()
    process.wait(10)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    access = next(line for line in lines if line["logger"] == "app.access")
    assert (access["request_id"], access["status"], access["path"]) == ("request-1", 307, "/")
    assert access["time"].endswith("+00:00")
    assert "hidden" not in (tmp_path / "log").read_text()
