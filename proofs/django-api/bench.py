"""A list, a read, a create and a hold: ours, a plain ModelViewSet, and bare psycopg. In one run, on PostgreSQL.

Run by `nox -s "bench(django-api)"`, which sets PROJECT (the generated project, installed), OURS (its Python) and PEERS
(a Python with DRF alone). What counts is the CPU that the application used, and the statements; each is run before and
after the others, and the better run counts. Holds of many clients at once are quoted as what the servers used.
"""

import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt

HERE = Path(__file__).parent
PROJECT, OURS, PEERS = Path(os.environ["PROJECT"]), os.environ["OURS"], os.environ["PEERS"]
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402  the project's own

GOODS = int(os.environ.get("GOODS", "10000"))
SECONDS = float(os.environ.get("SECONDS", "6"))
CLIENTS = 16
ROUNDS, CALLS = 9, 40
BUILD = """
from django.utils import timezone
from stock.models import Product
now = timezone.now()
Product.objects.bulk_create(
    Product(sku=f"SKU-{{n}}", name=f"Thing {{n}}", on_hand=10**9, created_at=now, updated_at=now) for n in range({many})
)
"""


def run(*command: str, cwd: Path, send: str = "", **settings: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | settings, input=send, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def requests(token: str, hold: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is asked of each; `hold` is the body of a hold, as each of them wants it."""
    headers = {"Authorization": f"Bearer {token}"}
    once = headers | {"Idempotency-Key": "key-{n}"}
    new = {"sku": "NEW-{n}", "name": "Thing {n}"}
    return [
        {"name": "list of 50", "method": "GET", "path": "/api/v1/products", "headers": headers},
        {"name": "read", "method": "GET", "path": f"/api/v1/products/{GOODS // 2}", "headers": headers},
        {"name": "filter by SKU", "method": "GET", "path": "/api/v1/products?sku=SKU-77", "headers": headers},
        {"name": "create", "method": "POST", "path": "/api/v1/products", "headers": headers, "body": new, "right": 201},
        {"name": "hold", "method": "POST", "path": "/api/v1/reservations", "headers": once, "body": dict(hold),
            "right": 201},
    ]  # fmt: skip


def measure(who: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """One run: {name: (milliseconds of CPU, statements)}, of each the best of some rounds."""
    asked = [each for each in who["asked"] if each["name"] not in who.get("not", ()) for _ in range(ROUNDS)]
    command = [who["python"], str(HERE.parent / "probe.py"), who["module"]]
    told = run(
        *command,
        cwd=who["cwd"],
        send="".join(json.dumps(each | {"times": CALLS}) + "\n" for each in asked),
        **who["env"],
    )
    found: dict[str, tuple[float, float]] = {}
    for each, line in zip(asked, told.strip().splitlines()[-len(asked) :], strict=True):
        microseconds, statements = json.loads(line)
        found[each["name"]] = min((microseconds / 1000, statements), found.get(each["name"], (float("inf"), 0)))
    return found


def in_process(folder: Path, urls: list[str]) -> list[dict[str, Any]]:
    """The CPU of one request after the other."""
    secret = secrets.token_hex(32)
    data = {"SECRET_KEY": secret, "ALLOWED_HOSTS": "127.0.0.1", "LOG_LEVEL": "WARNING", "ENVIRONMENT": "test"}
    data |= {"DATABASE_URL": urls[0], "DATA_DIR": str(folder), "RATE_LIMIT": "1000000000/60", "DOTENV": os.devnull}
    ours = {"DJANGO_SETTINGS_MODULE": "config.settings", **data}
    run(OURS, "manage.py", "migrate", "-v0", cwd=PROJECT, **ours)
    run(OURS, "manage.py", "shell", "-v0", "-c", BUILD.format(many=GOODS), cwd=PROJECT, **ours)
    scope = ["--scope", "stock:read stock:write"]
    token = run(OURS, "manage.py", "token", "bench", *scope, cwd=PROJECT, **ours).strip()
    theirs = {"DJANGO_SETTINGS_MODULE": "plain", "SECRET_KEY": secret, "DATABASE_URL": urls[1]}
    run(PEERS, "plain.py", str(GOODS), cwd=HERE / "peers", **theirs)
    plain = jwt.encode({"sub": "bench", "exp": int(time.time()) + 3600}, secret, algorithm="HS256")
    with_product = {"product": GOODS // 2, "quantity": 1}
    return [
        {"name": "ours", "python": OURS, "module": "config.wsgi", "cwd": PROJECT, "env": ours,
            "asked": requests(token, {"product_id": GOODS // 2, "quantity": 1})},
        {"name": "plain", "python": PEERS, "module": "plain", "cwd": HERE / "peers", "env": theirs,
            "asked": requests(plain, with_product)},
        {"name": "floor", "python": PEERS, "module": "floor", "cwd": HERE / "peers", "not": ["filter by SKU"],
            "env": {"DATABASE_URL": urls[1], "DJANGO_SETTINGS_MODULE": ""}, "asked": requests(plain, with_product)},
    ]  # fmt: skip


def table(everybody: list[dict[str, Any]]) -> None:
    """There and back, and again: what the machine does besides is then the same for all."""
    order = [*everybody, *everybody[::-1]] * 2
    runs: dict[str, list[dict[str, tuple[float, float]]]] = {each["name"]: [] for each in everybody}
    for each in order:
        runs[each["name"]].append(measure(each))
    best = {name: {what: min(run[what] for run in found) for what in found[0]} for name, found in runs.items()}
    print("\nPostgreSQL: milliseconds of CPU and statements of a request, without a server")
    print(f"{'':16}{'ours':>16}{'plain':>16}{'floor':>10}{'ours/plain':>14}")
    for what, (ms, statements) in best["ours"].items():
        their_ms, their_statements = best["plain"][what]
        floor = best["floor"].get(what, [float("nan")])[0]
        ours, plain = f"{ms:10.2f}{statements:6.0f}", f"{their_ms:10.2f}{their_statements:6.0f}"
        print(f"{what:16}{ours}{plain}{floor:10.2f}{ms / their_ms:14.2f}")


def hold_it(url: str, token: str, product: int, until: float, held: list[int]) -> None:
    """Hold one of it again and again."""
    while time.monotonic() < until:
        body = json.dumps({"product_id": product, "quantity": 1}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(f"{url}/api/v1/reservations", body, headers)  # noqa: S310  our own loopback
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                held.append(answer.status)
        except urllib.error.HTTPError as error:
            held.append(error.code)


def contention(who: dict[str, Any]) -> None:
    """Sixteen clients that all want the same product, at a server of two processes."""
    port = servers.free_port()
    env = os.environ | who["env"] | {"PORT": str(port), "HOST": "127.0.0.1", "WEB_CONCURRENCY": "2"}
    server = subprocess.Popen([OURS, "manage.py", "serve"], cwd=PROJECT, env=env, stderr=subprocess.DEVNULL)
    try:
        servers.wait_until(lambda: servers.listening(port), server)
        token, held = who["asked"][0]["headers"]["Authorization"].removeprefix("Bearer "), list[int]()
        until = time.monotonic() + SECONDS
        arguments = (f"http://127.0.0.1:{port}", token, 7, until, held)
        threads = [threading.Thread(target=hold_it, args=arguments) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.terminate()
        _, _, used = os.wait4(server.pid, 0)
    good, cpu = held.count(201), used.ru_utime + used.ru_stime
    print(
        f"\n{CLIENTS} clients hold the same product, two processes, fsync on: {good / SECONDS:.0f}/s, "
        f"{len(held) - good} of {len(held)} refused, {cpu / max(good, 1) * 1000:.1f} ms of the servers' CPU each"
    )


def main() -> None:
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {where}, {GOODS} products, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as name, servers.postgresql(fsync=True) as one, servers.postgresql() as other:
        everybody = in_process(Path(name), [one, other])
        table(everybody)
        contention(everybody[0])


if __name__ == "__main__":
    main()
