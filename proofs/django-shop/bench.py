"""Pages beside a shop on Oscar with the same goods; checkouts; growth to 100,000 products; an import. In one run.

Run by `nox -s "bench(django-shop)"`, which sets PROJECT (the generated project, installed), OURS (its Python) and PEERS
(a Python with Oscar). What counts is the CPU that was used; walls are quoted where a database works, too.
"""

import json
import os
import platform
import random
import secrets
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
PROJECT, OURS, PEERS = Path(os.environ["PROJECT"]), os.environ["OURS"], os.environ["PEERS"]
sys.path.insert(0, str(PROJECT))
from tests import servers  # noqa: E402  the project's own

GOODS = int(os.environ.get("GOODS", "1000"))
SIZES = [int(size) for size in os.environ.get("SIZES", "1000,10000,100000").split(",")]
LINES = int(os.environ.get("LINES", "50000"))
SECONDS = os.environ.get("SECONDS", "8")
WORDS = ["clay", "linen", "oak", "slate", "river", "harbour", "ember", "frost", "moss", "reed", "quiet", "lantern"]
HEAD = "Handle,Title,Body (HTML),Product Category,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price\n"


def run(*command: str, cwd: Path, **settings: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | settings, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def ours(settings: dict[str, str], *command: str) -> str:
    return run(OURS, "manage.py", *command, cwd=PROJECT, **settings)


def cost(python: str, module: str, cwd: Path, settings: dict[str, str], *paths: str) -> dict[str, list[float]]:
    """Milliseconds of CPU, queries, bytes and status of each path, without a server."""
    found: dict[str, list[float]] = json.loads(
        run(python, str(HERE.parent / "cost.py"), module, *paths, cwd=cwd, **settings).strip().splitlines()[-1]
    )
    if wrong := {path: facts for path, facts in found.items() if facts[3] not in (0, 200)}:
        raise SystemExit(f"not 200: {wrong}")
    return found


def a_shop(folder: Path, url: str = "") -> dict[str, str]:
    """A database with its tables, and the settings over it."""
    data = {"DATA_DIR": str(folder), "SECRET_KEY": secrets.token_hex(32), "ALLOWED_HOSTS": "127.0.0.1"}
    data |= {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "WARNING", "ENVIRONMENT": "test", "TASKS": "database"}
    data |= {"DATABASE_URL": url or f"sqlite:///{folder / 'shop.sqlite3'}"}
    ours(data, "migrate", "-v0")
    return data


def goods(file: Path, many: int, variants: tuple[int, int] = (1, 1), first: int = 0) -> Path:
    """A file with so many products, in forty categories, each of words by chance; so many variants in turn."""
    chance = random.Random(first)
    with file.open("w", encoding="utf-8") as out:
        out.write(HEAD)
        for number in range(first, first + many):
            text = " ".join(chance.choices(WORDS, k=12))
            about = f"Thing {number},<p>Made of {text}.</p>,Home > Kind {number % 40}"
            for variant in range(variants[number % 2]):
                cells = about if variant == 0 else ",,"
                out.write(f"thing-{number},{cells},size {variant},SKU-{number}-{variant},20,{10 + number % 90}.90\n")
    return file


PICTURES = """
from PIL import Image
from catalogue import images
from catalogue.models import Product, ProductImage
drawn = Image.new("RGB", (1280, 1280), "#31584f")
for product in Product.objects.filter(images=None)[:{many}]:
    image = ProductImage(product=product, alt="A thing", width=1280, height=1280)
    image.save()
    if {keep}: images.keep(drawn, image.name)
"""


def beside_oscar(folder: Path) -> None:
    """The same goods in both."""
    data = a_shop(folder)
    ours(data, "import_products", str(goods(folder / "goods.csv", GOODS, (1, 3))))
    ours(data, "shell", "-v0", "-c", PICTURES.format(many=GOODS, keep=False))
    theirs = {"OSCAR_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "oscar_shop", "PYTHONWARNINGS": "ignore"}
    peers = HERE / "peers"
    alone, several, category = run(PEERS, "oscar_shop.py", str(GOODS), cwd=peers, **theirs).split()[-3:]
    rows = [
        ("a category (24, 20 products)", "/shop/home/kind-7/", category),
        ("all products (24, 20)", "/search/", "/catalogue/"),
        ("a product", "/products/thing-8/", alone),
        ("a product with three variants", "/products/thing-7/", several),
        ("an empty basket", "/basket/", "/basket/"),
    ]
    mine = cost(OURS, "config.wsgi", PROJECT, data, *(here for _, here, _ in rows))
    other = cost(PEERS, "oscar_shop_wsgi", peers, theirs, *(there for _, _, there in rows))
    print(f"\n{GOODS} products, SQLite: milliseconds of CPU and queries of a page, without a server")
    print(f"{'':36}{'ours':>16}{'Oscar':>18}{'ratio of CPU':>16}")
    for name, here, there in rows:
        (ms, queries, *_), (their_ms, their_queries, *_) = mine[here], other[there]
        print(f"{name:36}{ms:8.2f} {queries:6.0f}{their_ms:10.2f} {their_queries:6.0f}{ms / their_ms:14.2f}")


def growth(folder: Path, url: str) -> None:
    """The same pages with more and more products, on PostgreSQL."""
    data = a_shop(folder, url)
    paths = {
        "first page": "/",
        "category": "/shop/home/kind-0/",
        "its second page, by price": "/shop/home/kind-0/?order=price&page=2",
        "product": "/products/thing-7/",
        "search, two words": "/search/?q=clay+lant",
        "search and price": "/search/?q=ember&least=20&most=40&available=on",
    }
    there, found = 0, {}
    for size in SIZES:
        ours(data, "import_products", str(goods(folder / "more.csv", size - there, first=there)))
        there = size
        ours(data, "shell", "-v0", "-c", "from django.db import connection; connection.cursor().execute('ANALYZE')")
        found[size] = cost(OURS, "config.wsgi", PROJECT, data, *paths.values())
    print("\nPostgreSQL: milliseconds of CPU, until it is answered, and queries, by the number of products")
    print(f"{'':28}" + "".join(f"{size:>22,}" for size in SIZES))
    for name, path in paths.items():
        facts = [found[size][path] for size in SIZES]
        print(f"{name:28}" + "".join(f"{each[0]:10.1f}{each[4]:8.1f}{each[1]:4.0f}" for each in facts))


def checkouts(folder: Path, url: str) -> None:
    """One thing that everybody wants, and five hundred."""
    data = a_shop(folder, url)
    ours(data, "import_products", str(goods(folder / "few.csv", 500)))
    ours(data, "shell", "-v0", "-c", "from stock.models import Level; Level.objects.update(available=10**6)")
    print("\nPostgreSQL with fsync, one process: checkouts per second, and milliseconds of the application's CPU each")
    for kind in ("hot", "many"):
        for clients in (1, 4, 16):
            command = [OURS, str(HERE / "checkouts.py"), str(clients), kind, SECONDS]
            told = json.loads(run(*command, cwd=PROJECT, **data).strip().splitlines()[-1])
            each = told["cpu"] / told["placed"] * 1000
            what = "one product" if kind == "hot" else "500 products"
            rate = told["placed"] / told["seconds"]
            print(f"{what:14}{clients:4} clients{rate:8.0f}/s{each:8.1f} ms   ({told['queries']} queries)")


def an_import(folder: Path, url: str) -> None:
    """So many lines, twice."""
    file = goods(folder / "import.csv", LINES // 2, (2, 2))
    print(f"\nAn import of {LINES:,} lines")
    for name, where in (("SQLite", ""), ("PostgreSQL", url)):
        data = a_shop(folder / name, where)
        for again in ("first", "again"):
            process = subprocess.Popen(
                [OURS, "manage.py", "import_products", str(file)],
                cwd=PROJECT,
                env=os.environ | data,
                stdout=subprocess.PIPE,
            )
            began = datetime.now(UTC)
            _, status, used = os.wait4(process.pid, 0)
            took = (datetime.now(UTC) - began).total_seconds()
            if status:
                raise SystemExit(f"the import failed: {status}")
            cpu, memory = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
            print(f"{name:12}{again:6}{LINES / took:8.0f} lines/s{took:7.1f} s{cpu:7.1f} s of CPU{memory:7.0f} MiB")


def main() -> None:
    where = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {where}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / part for part in ("oscar", "growth", "checkouts", "import")]
        for folder in [*folders, folders[3] / "SQLite", folders[3] / "PostgreSQL"]:
            folder.mkdir()
        beside_oscar(folders[0])
        for folder, measure in zip(folders[1:], (growth, checkouts, an_import), strict=True):
            with servers.postgresql(fsync=True) as url:
                measure(folder, url)


if __name__ == "__main__":
    main()
