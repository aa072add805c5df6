"""The commands, each in a folder of its own; those that serve in a process of their own."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from app import __main__ as commands
from app.database import Database
from app.settings import Settings
from tests.conftest import PATIENCE, Serve, a_key
from tests.models import heavy, times, trained
from tests.processes import PROJECT, Application, clean_environment
from tests.servers import free_port, wait_until

PRODUCTION = {"SECRET_KEY": "x" * 32, "ALLOWED_HOSTS": "models.example"}


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
    (tmp_path / ".env").write_text("SECRET_KEY=" + "x" * 32 + "\nALLOWED_HOSTS=models.example\n")
    assert run("check", "--deploy", cwd=tmp_path).exit_code == 0


def test_a_version_is_registered_promoted_and_rolled_back_by_commands(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    for name, made in (("one", times(2)), ("two", times(3))):
        (tmp_path / f"{name}.onnx").write_bytes(made.content)
        (tmp_path / f"{name}.json").write_text(made.card.model_dump_json())
        answer = run("register", "double", f"{name}.onnx", "--card", f"{name}.json", cwd=tmp_path)
        assert (answer.exit_code, made.sha256 in answer.stdout) == (0, True), answer.stderr
    assert "nothing" not in run("promote", "double", "1", cwd=tmp_path).stdout
    assert "generation 2" in run("promote", "double", "2", cwd=tmp_path).stdout
    assert "served by version 1" in run("roll-back", "double", cwd=tmp_path).stdout
    again = run("promote", "double", "1", cwd=tmp_path)
    assert (again.exit_code, "is what is served" in again.stderr) == (1, True)
    nothing = run("promote", "nothing", "1", cwd=tmp_path)
    assert (nothing.exit_code, "no model" in nothing.stderr) == (1, True)


def test_what_cannot_be_registered_is_said_in_a_line(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    made = times(2)
    (tmp_path / "short.onnx").write_bytes(made.content[:-9])
    (tmp_path / "card.json").write_text(made.card.model_dump_json())
    (tmp_path / "bad.json").write_text('{"description": "x", "inputs": []}')
    short = run("register", "x", "short.onnx", "--card", "card.json", cwd=tmp_path)
    assert (short.exit_code, "cut short" in short.stderr, "Traceback" in short.stderr) == (1, True, False)
    bad = run("register", "x", "short.onnx", "--card", "bad.json", cwd=tmp_path)
    assert (bad.exit_code, "outputs: Field required" in bad.stderr) == (2, True)


def test_keys_are_made_listed_and_revoked_by_commands(tmp_path: Path) -> None:
    settings = {"SECRET_KEY": "x" * 32}
    run("migrate", cwd=tmp_path)
    bare = run("keys", "add", "ci", cwd=tmp_path)
    assert (bare.exit_code, "SECRET_KEY is not set" in bare.stderr) == (2, True)
    made = run("keys", "add", "ci", "--scope", "admin", "--per-minute", "60", cwd=tmp_path, **settings)
    assert (made.exit_code, len(made.stdout.strip())) == (0, 43)
    listed = run("keys", "list", cwd=tmp_path, **settings).stdout
    assert ("ci  admin  60 a minute" in listed, made.stdout.strip() in listed) == (True, False)
    assert run("keys", "revoke", "ci", cwd=tmp_path, **settings).exit_code == 0
    again = run("keys", "revoke", "ci", cwd=tmp_path, **settings)
    assert (again.exit_code, "No key is called ci" in again.stderr) == (1, True)
    assert run("keys", "list", cwd=tmp_path, **settings).stdout == ""


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
    tensors = trained("linear").card.check.inputs
    kinds = {"hour": "FP32", "miles": "FP32"}
    inputs = [
        {"name": name, "datatype": kinds.get(name, "BYTES"), "shape": [32, 1], "data": values}
        for name, values in tensors.items()
    ]
    for start in (1, 2):
        process = demo(tmp_path, port, log := tmp_path / f"{start}.log")
        try:
            (key,) = re.findall(r"^    key +(\S+)$", log.read_text(), re.MULTILINE)
            with httpx2.Client(
                base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
            ) as client:
                assert client.get("/live").json()["departure-delay"]["version"] == 1
                for version in ("", "/versions/1", "/versions/2"):
                    answer = client.post(f"/v2/models/departure-delay{version}/infer", json={"inputs": inputs})
                    assert answer.status_code == 200, answer.text
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) in (0, 130)
        assert commands.free_port(preferred=port) == port
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
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:

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
            "MODEL_FOLDER": str(settings.model_folder),
            **more,
        }
    )


async def test_sigterm_finishes_what_runs(settings: Settings, database: Database, serve: Serve) -> None:
    name, key = await serve(heavy(layers=12)), await a_key(database, settings)
    row = {"name": "x", "datatype": "FP32", "shape": [100, 1024], "data": [0.01] * 102_400}
    with served(settings) as application:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=application.url, headers=headers, timeout=30) as client:
            running = [
                asyncio.create_task(client.post(f"/v2/models/{name}/infer", json={"inputs": [row]})) for _ in range(4)
            ]
            await asyncio.sleep(0.25)
            stop = asyncio.create_task(asyncio.to_thread(application.stop))
            answers = await asyncio.gather(*running, return_exceptions=True)
            async with asyncio.timeout(8):
                await stop
    answered = [answer for answer in answers if isinstance(answer, httpx2.Response)]
    assert answered
    assert {answer.status_code for answer in answered} == {200}


@pytest.mark.skipif(sys.platform == "win32", reason="uvicorn's workers are stopped by signals")
async def test_several_processes_serve_one_address(settings: Settings, database: Database, serve: Serve) -> None:
    name, key = await serve(times(2)), await a_key(database, settings)
    headers = {"Authorization": f"Bearer {key}"}
    with served(settings, WEB_CONCURRENCY="2") as application:
        for _ in range(10):
            async with httpx2.AsyncClient(base_url=application.url, headers=headers, timeout=PATIENCE) as client:
                assert (await client.get(f"/v2/models/{name}/ready")).json() == {"name": name, "ready": True}


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
        client.get("/?token=hidden", headers={"Host": "models.example", "X-Request-ID": "request-1"})
    process.terminate()
    process.wait(10)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    access = next(line for line in lines if line["logger"] == "app.access")
    assert (access["request_id"], access["status"], access["path"]) == ("request-1", 307, "/")
    assert access["time"].endswith("+00:00")
    assert "hidden" not in (tmp_path / "log").read_text()
