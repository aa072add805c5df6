"""Two servers die by kill -9, while sixteen callers hold, confirm, cancel, move stock, and ask again when unanswered.

Run by `nox -s "proof(django-api)"`, which sets PROJECT (the generated project) and uses its Python. PostgreSQL, with
fsync on. What must hold in the end: what is on hand is the sum of the ledger, line by line; what is reserved is what is
held; no key did its work twice, and every answer that a caller has heard is true; nothing was promised that was not
there. And three ways that look right are caught by the project's own tests.
"""

import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402
from tests.processes import Processes  # noqa: E402

KILLS = int(os.environ.get("KILLS", "40"))
CALLERS, PRODUCTS, EACH = 16, 4, 400
SCOPE = "stock:read stock:write"

# file, what is there, what looks as good, and the tests that must catch it (on PostgreSQL).
UNSAFE = {
    "read, and then written": (
        "stock/services.py",
        "    if not enough.update(**numbers):\n        # Perhaps",
        "    if not enough.exists() or not Product.objects.filter(pk=product_id).update(**numbers):\n        # Perhaps",
        ["tests/test_races.py", "tests/contract/test_races.py", "-k", "twenty_at_once or thirty"],
    ),
    "the answer is kept when it is over": (
        "idempotency/services.py",
        "    with alone(principal, key):\n",
        "    if True:\n",
        ["tests/test_races.py", "tests/idempotency", "-k", "same_key or in_the_middle or commit"],
    ),
    "the state is looked at before the wait": (
        "reservations/services.py",
        "still_held = Reservation.objects.filter(pk=reservation_id, state=State.HELD, expires_at__gt=timezone.now())",
        "still_held = Reservation.objects.filter(pk=reservation_id if reservation.state == State.HELD else 0)",
        ["tests/contract/test_races.py", "-k", "ends_once"],
    ),
}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Fleet:
    """Servers, each of which can be killed, and stands up again on its port."""

    def __init__(self, site: Processes, log: Path, many: int) -> None:
        self.site, self.log, self.kills = site, log, 0
        self.ports = [servers.free_port() for _ in range(many)]
        self.running = [self.start(port) for port in self.ports]
        for port, process in zip(self.ports, self.running, strict=True):
            servers.wait_until(lambda port=port: servers.listening(port), process)

    def start(self, port: int) -> "subprocess.Popen[bytes]":
        env = self.site.env | {"HOST": "127.0.0.1", "PORT": str(port)}
        command = [sys.executable, "manage.py", "serve"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=PROJECT, env=env, start_new_session=True, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9, with all that it has begun; then another one."""
        which = random.randrange(len(self.ports))
        os.killpg(self.running[which].pid, 9)
        self.running[which].wait()
        self.kills += 1
        self.running[which] = self.start(self.ports[which])

    def end(self) -> None:
        for process in self.running:
            os.killpg(process.pid, 9)
            process.wait()


class Caller:
    """Somebody who does not give up: the same key and body, at any server, until one answers."""

    def __init__(self, ports: list[int], token: str, seed: int, heard: list[tuple[str, int, dict[str, Any]]]) -> None:
        self.ports, self.token, self.heard = ports, token, heard
        self.chance, self.mine = random.Random(seed), list[int]()
        self.again = 0

    def once(self, method: str, path: str, body: object, key: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.chance.choice(self.ports), timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def asks(self, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """What a POST gives in the end, and sometimes once more."""
        key = str(uuid.uuid4())
        while True:
            try:
                status, said = self.once("POST", path, body, key)
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                self.again += 1
                time.sleep(0.05)
                continue
            if status >= 500 or said.get("type") == "/problems/request-in-progress":
                self.again += 1
                time.sleep(0.05)
                continue
            break
        self.heard.append((key, status, said))
        if status < 300 and self.chance.random() < 0.2:
            try:
                twice, same = self.once("POST", path, body, key)
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                return status, said
            assert twice >= 500 or same == said, f"{key} was answered {said}, and then {same}"
        return status, said

    def works(self, done: threading.Event, products: list[int]) -> None:
        while not done.is_set():
            product = self.chance.choice(products)
            match self.chance.randrange(8):
                case 0 | 1 | 2:
                    body = {
                        "product_id": product,
                        "quantity": self.chance.randint(1, 5),
                        "expires_in": self.chance.choice([1, 600]),
                    }
                    status, said = self.asks("/api/v1/reservations", body)
                    if status == 201:
                        self.mine.append(said["id"])
                case 3 | 4 if self.mine:
                    self.asks(f"/api/v1/reservations/{self.chance.choice(self.mine)}/confirm")
                case 5 if self.mine:
                    self.asks(f"/api/v1/reservations/{self.chance.choice(self.mine)}/cancel")
                case 6:
                    items = [{"product_id": each, "quantity": 1} for each in self.chance.sample(products, 3)]
                    status, said = self.asks("/api/v1/reservations/bulk", {"items": items})
                    self.mine += [each["id"] for each in said.get("items", [])]
                case _:
                    kind = self.chance.choice(["receive", "issue", "correct"])
                    self.asks(
                        f"/api/v1/products/{product}/movements", {"kind": kind, "quantity": self.chance.randint(1, 3)}
                    )


def ledger(database: "psycopg.Connection[Any]") -> str:
    """Fail unless every line of the ledger follows from the one before it, and the last is what is on hand."""
    lines = 0
    for product, on_hand, reserved in database.execute("SELECT id, on_hand, reserved FROM stock_product"):
        level = 0
        movements = "SELECT change, on_hand FROM stock_movement WHERE product_id = %s ORDER BY id"
        for change, after in database.execute(movements, [product]):
            level += change
            assert level == after >= 0, f"product {product}: {level} is not {after}"
            lines += 1
        assert level == on_hand >= reserved >= 0, f"product {product}: {level}, {on_hand}, {reserved}"
        held = (
            "SELECT COALESCE(SUM(quantity), 0) FROM reservations_reservation WHERE product_id = %s AND state = 'held'"
        )
        (sum_,) = database.execute(held, [product]).fetchone() or (0,)
        assert reserved == sum_, f"product {product}: {reserved} reserved, and {sum_} held"
    return f"{lines} lines of the ledger"


def reservations(database: "psycopg.Connection[Any]") -> str:
    """Fail unless each that is confirmed went out once, and no other."""
    wrong = database.execute(
        "SELECT r.id, r.state, count(m.id) FROM reservations_reservation r "
        "LEFT JOIN stock_movement m ON m.reservation_id = r.id "
        "GROUP BY r.id, r.state HAVING count(m.id) <> (r.state = 'confirmed')::int"
    ).fetchall()
    assert wrong == [], wrong
    states = database.execute("SELECT state, count(*) FROM reservations_reservation GROUP BY state").fetchall()
    return ", ".join(f"{many} {state}" for state, many in sorted(states))


def answers(database: "psycopg.Connection[Any]", heard: list[tuple[str, int, dict[str, Any]]]) -> str:
    """Fail unless everything that callers have heard happened, once: as many answers as there are things done."""
    kept = {key: (status, json.loads(bytes(content))) for key, status, content in
        database.execute("SELECT key, status, content FROM idempotency_storedanswer")}  # fmt: skip
    good = {key: (status, said) for key, status, said in heard if status < 300}
    assert len(good) == sum(status < 300 for _, status, _ in heard), "a key was used twice"
    assert all(kept.get(key) == told for key, told in good.items()), "an answer was heard that is not kept"
    made = [said["id"] for _, said in kept.values() if "expires_at" in said and said["state"] == "held"]
    made += [each["id"] for _, said in kept.values() for each in said.get("items", [])]
    there = [row[0] for row in database.execute("SELECT id FROM reservations_reservation")]
    assert Counter(made) == Counter(there), "a key has made two reservations, or one is there of which nobody was told"
    moved = [said["id"] for _, said in kept.values() if "change" in said]
    by_hand = [
        row[0]
        for row in database.execute("SELECT id FROM stock_movement WHERE reservation_id IS NULL AND note <> 'begin'")
    ]
    assert Counter(moved) == Counter(by_hand), "a key has moved stock twice"
    refused = Counter(said["type"].rpartition("/")[2] for _, status, said in heard if status >= 400)
    return f"{len(good)} heard of {len(kept)} kept; refused: {dict(refused)}"


BEGIN = f"""
from stock import services
for number in range({PRODUCTS}):
    product = services.create(sku=f"P{{number}}", name="A thing", by="proof")
    services.move(product_id=product.pk, kind="receive", quantity={EACH}, note="begin", by="proof")
    print("product", product.pk)
"""


TOKENS = f"""
from datetime import timedelta
from accounts.tokens import issue
for number in range({CALLERS}):
    print("token", issue(f"caller {{number}}", scopes="{SCOPE}", lasts=timedelta(hours=5)))
"""


def killed(folder: Path) -> None:
    """Servers are killed at any moment, while everybody calls."""
    with servers.postgresql(fsync=True) as url:
        settings = {
            "DATABASE_URL": url,
            "DATA_DIR": str(folder),
            "SECRET_KEY": "proof" * 10,
            "RATE_LIMIT": "1000000/1",  # who is killed loses what it took of the span
        }
        site = Processes(settings | {"LOG_LEVEL": "CRITICAL"})
        site.run("migrate", "-v0")
        products = [int(line.split()[1]) for line in site.run("shell", "-v0", "-c", BEGIN).splitlines() if line]
        heard: list[tuple[str, int, dict[str, Any]]] = []
        tokens = [line.split()[1] for line in site.run("shell", "-v0", "-c", TOKENS).splitlines() if line]
        fleet, done, broken = Fleet(site, folder / "serve.log", 2), threading.Event(), list[BaseException]()
        callers = [Caller(fleet.ports, token, seed, heard) for seed, token in enumerate(tokens)]

        def guarded(caller: Caller) -> Callable[[], None]:
            def work() -> None:
                try:
                    caller.works(done, products)
                except BaseException as error:
                    broken.append(error)
                    raise

            return work

        threads = [threading.Thread(target=guarded(caller)) for caller in callers]
        try:
            for thread in threads:
                thread.start()
            for _ in range(KILLS):
                time.sleep(random.uniform(0.5, 4))
                fleet.kill()
            say(f"{fleet.kills} kills")
            time.sleep(4)
            done.set()
            for thread in threads:
                thread.join()
        finally:
            done.set()
            fleet.end()
        assert broken == [], broken
        again = sum(caller.again for caller in callers)
        say(f"{fleet.kills} kills, {len(heard)} answers, {again} times without one, and asked again")
        assert len(heard) > KILLS * 5, "that was no crowd"
        with psycopg.connect(url) as database:
            say(ledger(database))
            say(reservations(database))
            say(answers(database, heard))
        site.run("housekeeping")
        time.sleep(1.2)
        site.run("housekeeping")
        with psycopg.connect(url) as database:
            ledger(database)
            past = "SELECT count(*) FROM reservations_reservation WHERE state = 'held' AND expires_at <= now()"
            assert (database.execute(past).fetchone() or (1,))[0] == 0
        say("after housekeeping nothing is overdue, and everything still adds up")


def unsafe(folder: Path) -> None:
    """What looks right, and must be caught on PostgreSQL."""
    for number, (name, (file, there, instead, tests)) in enumerate(UNSAFE.items()):
        copy = folder / f"mutant{number}"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".venv", "__pycache__", ".demo"))
        text = (copy / file).read_text("utf-8")
        assert text.count(there) == 1, f"{name}: {file} is another"
        (copy / file).write_text(text.replace(there, instead), encoding="utf-8")
        env = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {"ENVIRONMENT": "test"}
        command = [sys.executable, "-m", "pytest", *tests, "--database", "postgresql", "-q"]
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        say(f"{name}: {'caught' if done.returncode else 'not caught'}")
        assert done.returncode, done.stdout[-2000:]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        unsafe(Path(name))
        killed(Path(name))
    say("all of it held")


if __name__ == "__main__":
    main()
