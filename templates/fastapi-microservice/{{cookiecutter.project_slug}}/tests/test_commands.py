"""The commands, each in a folder of its own; those that serve in a process of their own."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import jwt
import pytest
from typer.testing import CliRunner, Result

from app import __main__ as commands
from app.auth.issuer import issue
from app.database import Database
from app.settings import Settings
from tests.conftest import BOTH, HOUR, PATIENCE, a_hold, a_product, overdue, served
from tests.processes import PROJECT, clean_environment
from tests.servers import free_port, wait_until

PRODUCTION = {
    "SECRET_KEY": "x" * 32,
    "ALLOWED_HOSTS": "stock.example",
    "JWKS_URL": "https://issuer.example/jwks.json",
    "JWT_ISSUER": "https://issuer.example",
}


def run(*arguments: str, cwd: Path, **settings: str) -> Result:
    """`python -m app …` there, with these settings only."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.chdir(cwd)
        return CliRunner().invoke(commands.cli, list(arguments))


def test_serve_refuses_without_what_production_demands(tmp_path: Path) -> None:
    answer = run("serve", cwd=tmp_path)
    assert answer.exit_code == 2
    for words in ("SECRET_KEY is not set", "ALLOWED_HOSTS is not set", "JWKS_URL and JWT_ISSUER are not set"):
        assert words in answer.stderr
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
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in PRODUCTION.items()))
    assert run("check", "--deploy", cwd=tmp_path).exit_code == 0


def test_a_token_is_made_by_a_command(tmp_path: Path) -> None:
    bare = run("token", "me", cwd=tmp_path)
    assert (bare.exit_code, "SECRET_KEY is not set" in bare.stderr) == (2, True)
    made = run("token", "me", "--scope", "stock:read", "--minutes", "5", cwd=tmp_path, SECRET_KEY="x" * 32)
    claims = jwt.decode(made.stdout.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["scope"], claims["exp"] - claims["iat"]) == ("me", "stock:read", 300)


def test_a_sweep_says_what_there_was_to_do(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    answer = run("sweep", cwd=tmp_path)
    assert (answer.exit_code, answer.stdout.splitlines()[0]) == (0, "0 overdue reservations")


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


def test_the_demos_first_call_works(tmp_path: Path) -> None:
    """Twice on the same data, with the token that the first one printed."""
    token, log = "", tmp_path / "log"
    for _ in range(2):
        port = str(free_port())
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "demo", "--port", port],
                cwd=tmp_path,
                env=clean_environment() | {"PYTHONPATH": str(PROJECT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: b"Uvicorn running" in log.read_bytes(), process)
            token = token or log.read_text().split("Bearer ")[1].split('"')[0]
            headers = {"Authorization": f"Bearer {token}"}
            items = httpx2.get(f"http://127.0.0.1:{port}/api/v1/products", headers=headers).json()["items"]
            assert [item["available"] for item in items] == [40, 40, 40]
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("command", ["app dev", "fastapi dev"])
def test_dev_serves_and_believes_the_tokens_that_are_made_beside_it(tmp_path: Path, command: str) -> None:
    example = (PROJECT / ".env.example").read_text()
    (tmp_path / ".env").write_text(example.replace("\nSECRET_KEY=\n", f"\nSECRET_KEY={'x' * 43}\n"))
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
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:

            def answers() -> bool:
                try:
                    return client.get("/").status_code == 200
                except httpx2.TransportError:
                    return False

            wait_until(answers, process)
            ready = client.get("/readyz").json()["status"]
            assert ready == ("ready" if module == "app" else "unavailable"), "dev migrates, fastapi dev does not"
            token = run("token", "me", cwd=tmp_path).stdout.strip()
            answer = client.get("/api/v1/products", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == (200 if module == "app" else 503)
    finally:
        process.terminate()
        process.wait(10)


async def test_the_relay_publishes_until_it_is_told_to_stop(
    writer: httpx2.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    relay = served(settings, EVENTS_FILE=str(file))
    command, environment = [sys.executable, "-m", "app", "relay"], clean_environment() | relay.settings
    process = subprocess.Popen(command, cwd=PROJECT, env=environment)  # noqa: ASYNC220  it waits for nothing
    await a_product(writer, on_hand=1)
    await asyncio.to_thread(wait_until, lambda: file.exists() and len(file.read_text().splitlines()) == 2, process)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0


async def test_the_sweep_command_frees_stock(
    writer: httpx2.AsyncClient, settings: Settings, database: Database
) -> None:
    await overdue(database, await a_hold(writer, await a_product(writer, on_hand=1)))
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app", "sweep"],
        cwd=PROJECT,
        env=clean_environment() | served(settings).settings,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[0] == "1 overdue reservations"


@pytest.mark.skipif(sys.platform == "win32", reason="uvicorn's workers are stopped by signals")
async def test_several_processes_serve_one_address(settings: Settings) -> None:
    headers = {"Authorization": f"Bearer {issue(settings, 'writer', scope=BOTH, lasts=HOUR)}"}
    with served(settings, WEB_CONCURRENCY="2") as application:
        for _ in range(10):
            async with httpx2.AsyncClient(base_url=application.url, headers=headers, timeout=PATIENCE) as client:
                assert (await client.get("/api/v1/products")).status_code == 200


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
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
        client.get("/?token=hidden", headers={"Host": "stock.example", "X-Request-ID": "request-1"})
    process.terminate()
    process.wait(10)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    access = next(line for line in lines if line["logger"] == "app.access")
    assert (access["request_id"], access["status"], access["path"]) == ("request-1", 307, "/")
    assert (access["time"].endswith("+00:00"), access["trace_id"]) == (True, None)
    assert "hidden" not in (tmp_path / "log").read_text()
