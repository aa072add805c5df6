"""Whoever sells, pays out, ships, cleans up and sends mail dies by kill -9, while customers buy.

Run by `nox -s "proof(django-shop)"`, which sets PROJECT (the generated project) and uses its Python. PostgreSQL, with
fsync on. What must hold: every order is whole or absent; what is there and what is sold are what there was; every
payment has its order, and nothing goes back twice; every message is processed once; every event has its mail. And two
ways of taking stock that look right are caught; and Stripe's library against a server that speaks its API does what
the provider for development does. With 10,000 products a page asks no more than it may with one.
"""

import http.cookiejar
import json
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

HERE = Path(__file__).parent
PROJECT = Path(os.environ["PROJECT"])
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402
from tests.orders.test_worker import PostOffice  # noqa: E402
from tests.processes import Processes  # noqa: E402

KILLS = int(os.environ.get("KILLS", "40"))
CUSTOMERS = 8
MESSAGES = 200
SIZE = int(os.environ.get("SIZE", "10000"))
MOST = {
    "/shop/home/kind-7/": 8, "/search/?q=large+clay&least=5": 8, "/products/large-7/": 7, "/basket/": 8,
}  # queries  # fmt: skip
STAND_IN = "localstripe==1.15.10"
TYPED = {"email": "a@example.org", "name": "Ada", "street": "Road 1", "postcode": "10115", "city": "Berlin"}

UNSAFE = {
    "read and saved inside a transaction": """
@transaction.atomic
def take(*, wanted: Mapping[int, int], reference: str) -> None:
    for variant, quantity in sorted(wanted.items()):
        level = Level.objects.get(pk=variant)
        if level.available < quantity:
            raise OutOfStockError(lacking(wanted))
        level.available -= quantity
        level.save()
    note(wanted, -1, Reason.SOLD, reference)
""",
    "read outside of it, saved inside": """
def take(*, wanted: Mapping[int, int], reference: str) -> None:
    levels = Level.objects.in_bulk(wanted)
    if any(levels[variant].available < quantity for variant, quantity in wanted.items()):
        raise OutOfStockError(lacking(wanted))
    with transaction.atomic():
        for variant, quantity in sorted(wanted.items()):
            levels[variant].available -= quantity
            levels[variant].save()
        note(wanted, -1, Reason.SOLD, reference)
""",
}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def code(text: str) -> list[str]:
    """A command that runs this inside the project, with what lies beside this file."""
    return ["shell", "-v0", "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); from inside import *; {text}"]


class Customer:
    """Somebody with a browser that has no scripts."""

    def __init__(self, shops: list[str]) -> None:
        self.shops = shops
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.open = urllib.request.build_opener(jar).open
        self.me = ".".join(str(random.randint(1, 254)) for _ in range(4))

    def ask(self, path: str, **typed: str) -> tuple[str, str]:
        """The address that one ends at, and its page. With something typed, a form is sent from the last page."""
        where = random.choice(self.shops)
        host = urllib.parse.urlsplit(where).netloc
        body = urllib.parse.urlencode(typed | {"csrfmiddlewaretoken": self.token}).encode() if typed else None
        headers = {"X-Forwarded-For": self.me, "Host": host, "Origin": where}
        request = urllib.request.Request(where + path, body, headers)  # noqa: S310  our own loopback addresses
        try:
            with self.open(request, timeout=20) as answer:
                page: str = answer.read().decode()
                path = urllib.parse.urlsplit(answer.url).path
        except urllib.error.HTTPError as error:
            page = error.read().decode()
            if error.code >= 500:
                raise OSError(f"{error.code}") from error
        if found := re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page):
            self.token = found[1]
        return path, page

    def buy(self) -> tuple[str, bool]:
        """The token of an order, and whether the shop has said that it is paid."""
        for product in random.sample(range(6), random.randint(1, 3)):
            _, page = self.ask(f"/products/{self.slugs[product]}/")
            found = re.search(r'name="variant" value="(\d+)"', page)
            if found is None:
                continue  # sold out
            self.ask("/basket/add/", variant=found[1], quantity=str(random.randint(1, 2)))
        self.ask("/checkout/")
        _, page = self.ask("/checkout/", country="DE", **TYPED)
        method = re.search(r'name="method" value="(\d+)"', page)
        if method is None:
            return "", False
        _, page = self.ask("/checkout/shipping/", method=method[1])
        total = re.search(r'name="total" value="(\d+)"', page)
        if total is None:
            return "", False
        path, page = self.ask("/checkout/place/", total=total[1])
        pay = re.search(r'action="(/payments/fake/[^"]+)"', page)
        if pay is None:
            return "", False
        token = path.split("/")[2]
        card = random.choice(["works", "works", "works", "asks", "declined", "leave"])
        if card == "leave":
            return token, False
        _, page = self.ask(pay[1], card=card)
        if card == "asks":
            _, page = self.ask(pay[1], card="works")
        return token, "It is paid, and we pack it" in page or "It is on its way" in page

    slugs: ClassVar[list[str]] = []
    token = ""


class Crowd:
    """Customers who buy until they are told to stop, and remember what the shop has told them."""

    def __init__(self, shops: list[str]) -> None:
        self.shops, self.placed, self.paid, self.broken = shops, set[str](), set[str](), 0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._buy) for _ in range(CUSTOMERS)]

    def _buy(self) -> None:
        while not self._done.is_set():
            try:
                token, paid = Customer(self.shops).buy()
            except (OSError, urllib.error.URLError, ConnectionError):
                self.broken += 1
                time.sleep(0.5)
                continue
            if token:
                self.placed.add(token)
            if paid:
                self.paid.add(token)

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


class Staff:
    """The processes of a shop, each of which can be killed, and stands up again. `serve` is followed by its port."""

    def __init__(self, site: Processes, logs: Path, **commands: list[str]) -> None:
        self.site, self.logs, self.commands = site, logs, commands
        self.running = {name: self._start(name) for name in commands}
        self.kills = dict.fromkeys(commands, 0)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        first, *rest = self.commands[name]
        env = self.site.env | ({"HOST": "127.0.0.1", "PORT": rest.pop()} if first == "serve" else {})
        command = [sys.executable, "manage.py", first, *rest]
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, cwd=PROJECT, env=env, start_new_session=True, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """kill -9, with all that it has begun; then another one."""
        self._end(self.running[name])
        self.kills[name] += 1
        self.running[name] = self._start(name)

    def see_to(self) -> None:
        """Who has ended by itself begins again: housekeeping is called by the clock, and the desk is never empty."""
        for name, process in self.running.items():
            if process.poll() is not None:
                self.running[name] = self._start(name)

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()

    def go(self) -> None:
        """All of them, for good."""
        for process in self.running.values():
            self._end(process)


def drained(site: Processes, office: PostOffice) -> dict[str, object]:
    """After a day on which nobody was killed: what is wrong."""
    for _ in range(3):
        site.run(*code("later()"))
        site.run("db_worker", "--batch", "--interval", "0.1")
        site.run("housekeeping")
    found: dict[str, object] = json.loads(site.run(*code("check()")).strip().splitlines()[-1])
    mails = {f"<{name}@localhost>" for name in found.pop("mails")}  # type: ignore[attr-defined]
    unsent, unknown = mails - {*office.names}, {*office.names} - mails
    assert not unsent, f"{len(unsent)} mails that nobody has got"
    assert not unknown, f"{len(unknown)} letters of which nothing is written down"
    assert found["wrong"] == [], found["wrong"]
    again = len(office.names) - len(mails)
    say(f"orders {found['orders']}; {len(mails)} mails, {again} of them sent once more; nothing is wrong")
    return found


def killed(site: Processes, office: PostOffice, folder: Path) -> None:
    """Everybody is killed at any moment, while people buy."""
    ports = [servers.free_port(), servers.free_port()]
    shops = [f"http://127.0.0.1:{port}" for port in ports]
    staff = Staff(
        site,
        folder,
        first=["serve", str(ports[0])],
        second=["serve", str(ports[1])],
        worker=["db_worker", "--interval", "0.1"],
        housekeeper=["housekeeping"],
        desk=[*code("work()")],
    )
    try:
        for port in ports:
            servers.wait_until(lambda port=port: servers.listening(port), staff.running["first"])
        with Crowd(shops) as crowd:
            time.sleep(3)
            for _ in range(KILLS):
                time.sleep(random.uniform(0.5, 4))
                staff.see_to()
                staff.kill(random.choice(list(staff.running)))
            time.sleep(3)
    finally:
        staff.go()
    who = ", ".join(f"{name} {many}" for name, many in staff.kills.items())
    say(f"killed: {who}. Customers: {len(crowd.placed)} orders, {len(crowd.paid)} paid, {crowd.broken} broken off")
    drained(site, office)
    known = "from orders.models import Order; print('there', *Order.objects.values_list('token', flat=True))"
    paid = "print('paid', *Order.objects.filter(events__kind='paid').values_list('token', flat=True))"
    there = {line.split()[0]: {*line.split()[1:]} for line in site.run(*code(f"{known}; {paid}")).splitlines() if line}
    assert crowd.placed <= there["there"], "an order that a customer has seen is gone"
    assert crowd.paid <= there["paid"], "an order that a customer has paid is not paid"
    assert len(crowd.paid) > KILLS / 2, "that was no crowd"


def killed_messages(site: Processes, office: PostOffice, folder: Path) -> None:
    """The provider tells each thing until it hears 200, at once and again; the server dies meanwhile."""
    messages = [json.loads(line) for line in site.run(*code(f"begun({MESSAGES})")).splitlines() if line.startswith("{")]
    port = servers.free_port()
    staff = Staff(site, folder, server=["serve", str(port)])
    done = threading.Event()

    def deliver(mine: list[dict[str, str]]) -> None:
        for message in mine:
            headers = {"Content-Type": "application/json", "Stripe-Signature": message["signature"]}
            where = f"http://127.0.0.1:{port}/webhooks/fake/"
            heard = 0
            while heard < 2:
                try:
                    request = urllib.request.Request(where, message["body"].encode(), headers)
                    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  our own
                        heard += answer.status == 200
                except OSError:
                    time.sleep(0.05)

    threads = [threading.Thread(target=deliver, args=[random.sample(messages, len(messages))]) for _ in range(6)]
    for thread in threads:
        thread.start()

    def killer() -> None:
        while not done.is_set():
            servers.wait_until(lambda: servers.listening(port), staff.running["server"])
            if not done.wait(random.uniform(0.3, 2)):
                staff.kill("server")

    killing = threading.Thread(target=killer)
    killing.start()
    for thread in threads:
        thread.join()
    done.set()
    killing.join()
    staff.go()
    say(
        f"{len(messages)} messages, each told twelve times or more; the server was killed {staff.kills['server']} times"
    )
    drained(site, office)


def unsafe_stock(folder: Path) -> None:
    """Two ways of taking stock that look right, and must be caught on PostgreSQL."""
    for number, (name, unsafe) in enumerate(UNSAFE.items()):
        copy = folder / f"mutant{number}"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".venv", "__pycache__", ".demo"))
        file = copy / "stock" / "services.py"
        text = file.read_text("utf-8")
        begin, end = text.index("@transaction.atomic\ndef take("), text.index("@transaction.atomic\ndef put_back(")
        file.write_text(f"{text[:begin]}{unsafe.strip()}\n\n\n{text[end:]}", encoding="utf-8")
        caught = {}
        for database in ("postgresql", "sqlite"):
            wanted = ["tests/stock", "-k", "twenty_at_once", "--database", database, "-q"]
            env = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {"ENVIRONMENT": "test"}
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *wanted],
                cwd=copy,
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode in (0, 1), done.stdout + done.stderr
            caught[database] = "caught" if done.returncode else "not caught"
        say(f"{name}: {caught}")
        assert caught["postgresql"] == "caught", name


def contract(folder: Path) -> None:
    """The tests of the provider for development, against Stripe's library and a server that speaks its API."""
    port = servers.free_port()
    command = ["uv", "tool", "run", "--from", STAND_IN, "localstripe", "--port", str(port), "--from-scratch"]
    with (folder / "stripe.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        servers.wait_until(lambda: servers.listening(port), process)
        env = os.environ | {
            "ENVIRONMENT": "test",
            "STRIPE_API": f"http://127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": "sk_test",
        }
        tests = [sys.executable, "-m", "pytest", "tests/payments/test_contract.py", "-q", "-rx"]
        done = subprocess.run(tests, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "[stripe]" in done.stdout
        for line in done.stdout.splitlines()[-6:]:
            say(line)
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def large_catalogue(site: Processes, folder: Path) -> None:
    """No more queries with 10,000 products than are allowed with one."""
    file = folder / "goods.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("Handle,Title,Body (HTML),Product Category,Variant SKU,Variant Inventory Qty,Variant Price\n")
        for number in range(SIZE):
            shelf = f"Home > Kind {number % 40}"
            out.write(f"large-{number},Large {number},Made of clay.,{shelf},LARGE-{number},9,{number % 90}.90\n")
    began = time.monotonic()
    site.run("import_products", str(file))
    took = time.monotonic() - began
    command = [sys.executable, str(HERE.parent / "cost.py"), "config.wsgi", *MOST]
    output = subprocess.run(command, cwd=PROJECT, env=site.env, check=True, capture_output=True, text=True).stdout
    cost = json.loads(output)
    say(f"{SIZE} products, imported in {took:.0f} s: " + ", ".join(f"{path} {cost[path][1]:.0f}" for path in MOST))
    assert all(cost[path][3] == 200 and cost[path][1] <= most for path, most in MOST.items()), cost


@contextmanager
def a_shop() -> Iterator[tuple[Processes, PostOffice, Path]]:
    with (
        tempfile.TemporaryDirectory() as name,
        servers.postgresql(fsync=True) as url,
        PostOffice() as office,
    ):
        threading.Thread(target=office.serve_forever, daemon=True).start()
        office.thanks.set()
        settings = {"DATABASE_URL": url, "DATA_DIR": name, "SECRET_KEY": secrets.token_hex(32), "TASKS": "database"}
        settings |= {"TRUSTED_PROXIES": "127.0.0.1", "EMAIL_URL": f"smtp://127.0.0.1:{office.server_address[1]}"}
        settings |= {"WEBHOOK_SECRET": secrets.token_hex(16), "LOG_LEVEL": "CRITICAL", "WEB_CONCURRENCY": "1"}
        site = Processes(settings)
        site.run("migrate", "-v0")
        site.run(*code("build()"))
        slugs = "print('slugs', *Variant.objects.order_by('pk').values_list('product__slug', flat=True))"
        Customer.slugs = re.findall(r"slugs (.+)", site.run(*code(slugs)))[0].split()
        yield site, office, Path(name)
        office.shutdown()


def main() -> None:
    with a_shop() as (site, office, folder):
        unsafe_stock(folder)
        contract(folder)
        killed(site, office, folder)
        killed_messages(site, office, folder)
        large_catalogue(site, folder)
    say("all of it held")


if __name__ == "__main__":
    main()
