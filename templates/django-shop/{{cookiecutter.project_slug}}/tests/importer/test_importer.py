"""Products from a file: what comes of a good one, and what is said of a bad one."""

import io
import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from catalogue.models import Category, Product, TaxClass, Variant
from importer import services
from importer.errors import FileRefusedError
from importer.models import Import, State
from importer.services import Report
from stock.models import Level, Movement
from stock.services import differences, take
from tests.conftest import Commits, Staff, make_person
from tests.together import together

pytestmark = pytest.mark.django_db
COLUMNS = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Published,Option1 Name,Option1 Value,Option2 Value,Variant SKU,"
    "Variant Inventory Qty,Variant Price,Variant Taxable,Image Src,Status"
)
GOOD = [
    COLUMNS,
    'cup,Moor cup,"<p>Thrown &amp; glazed.</p><script>x</script>",We,Home > Cups,TRUE,Hue,white,M,CUP-W,5,14.90,TRUE,,',
    "cup,,,,,,,blue,M,CUP-B,0,16.90,,,",
    "cup,,,,,,,,,,,,,https://example.org/second.jpg,",
    "card,Card,,,,TRUE,Title,Default Title,,CARD,-3,2,FALSE,,active",
    '"old",Old,"two\nlines",,Home,FALSE,,,,OLD,1,1.5,,,draft',
]


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Import._meta.get_field("file"), "storage", FileSystemStorage(tmp_path))


def file(*lines: str) -> io.BytesIO:
    return io.BytesIO("\r\n".join(lines or GOOD).encode())


def run(*lines: str, try_only: bool = False) -> Report:
    return services.run(file(*lines), by=None, try_only=try_only)


def refused(*lines: str) -> list[tuple[int, str]]:
    with pytest.raises(FileRefusedError) as error:
        run(*lines)
    assert not Product.objects.exists()
    assert not Category.objects.exists()
    return error.value.problems


def test_a_file_becomes_products_variants_and_stock() -> None:
    assert run() == Report(products=3, variants=4, new_products=3, new_variants=4)
    cup, card, old = Product.objects.order_by("pk")
    assert (cup.name, cup.description, cup.category.path) == ("Moor cup", "Thrown & glazed.\nx", "home/cups/")
    assert (cup.live, cup.tax_class, cup.lowest_price) == (True, TaxClass.STANDARD, Decimal("14.90"))
    assert [*cup.variants.values_list("sku", "label", "position", "level__available")] == [
        ("CUP-W", "white, M", 0, 5), ("CUP-B", "blue, M", 1, 0),
    ]  # fmt: skip
    assert (card.tax_class, card.category.path, card.variants.get().label) == (TaxClass.ZERO, "products/", "")
    assert (old.live, old.description) == (False, "two\nlines")
    assert differences() == {}
    assert Movement.objects.count() == 2


def test_imported_twice_it_changes_nothing() -> None:
    run()
    before = [*Variant.objects.values()], [*Product.objects.values()], [*Movement.objects.values()]
    again = run()
    assert (again.products, again.variants, again.changes) == (3, 4, 0)
    assert before == ([*Variant.objects.values()], [*Product.objects.values()], [*Movement.objects.values()])


def test_what_has_changed_is_changed_and_what_was_sold_does_not_come_back() -> None:
    run()
    take(wanted={Variant.objects.get(sku="CUP-W").pk: 2}, reference="X")
    swapped = [line.replace("white", "?").replace("blue", "white").replace("?", "blue") for line in GOOD]
    swapped[1] = swapped[1].replace("14.90", "12.50").replace("Moor cup", "Harbour cup")
    again = run(*swapped)
    assert (again.changed_products, again.changed_variants, again.new_variants) == (1, 2, 0)
    cup = Product.objects.get(slug="cup")
    assert (cup.name, cup.lowest_price) == ("Harbour cup", Decimal("12.50"))
    assert [*cup.variants.values_list("sku", "label", "level__available")] == [
        ("CUP-W", "blue, M", 3), ("CUP-B", "white, M", 0),
    ]  # fmt: skip
    assert differences() == {}


def test_only_tried_out_it_says_the_same_and_writes_nothing() -> None:
    assert run(try_only=True) == Report(products=3, variants=4, new_products=3, new_variants=4)
    assert not Product.objects.exists()
    assert not Category.objects.exists()


ROW = "lamp,Lamp,,,,,,{label},,{sku},{pieces},{price},,,"


def row(**cells: str) -> str:
    return ROW.format(**{"label": "", "sku": "LAMP", "pieces": "1", "price": "20"} | cells)


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ((COLUMNS, row(), row(label="x")), 3, "SKU 'LAMP' was in line 2 already."),
        ((COLUMNS, row(), row(sku="OTHER")), 3, "There are two variants '' of this product."),
        ((COLUMNS, row(sku="")), 2, "There is no Variant SKU."),
        ((COLUMNS, row(sku="=1+1")), 2, "Variant SKU '=1+1' begins like a formula."),
        ((COLUMNS, row().replace("Lamp", "@SUM(A1)")), 2, "Title '@SUM(A1)' begins like a formula."),
        ((COLUMNS, row().replace("Lamp", "")), 2, "There is no Title."),
        ((COLUMNS, row().replace("Lamp", "L" * 121)), 2, "Title has more than 120 letters"),
        ((COLUMNS, row().replace("lamp", "Lamp Two")), 2, "Handle 'Lamp Two': use a-z"),
        ((COLUMNS, row(price="")), 2, "Variant Price '' is no price in EUR."),
        ((COLUMNS, row(price="1,5")), 2, "It has more or fewer cells"),
        ((COLUMNS, row(price="NaN")), 2, "Variant Price 'NaN' is no price in EUR."),
        ((COLUMNS, row(price="-1")), 2, "Variant Price '-1' is no price in EUR."),
        ((COLUMNS, row(price="1_000")), 2, "Variant Price '1_000' is no price in EUR."),
        ((COLUMNS, row(price="\N{FULLWIDTH DIGIT ONE}")), 2, "is no price in EUR."),
        ((COLUMNS, row(label="=HYPERLINK(1)")), 2, "option '=HYPERLINK(1)' begins like a formula."),
        ((COLUMNS, "lamp,Lamp,,,=cmd > x,,,b,,L,1,2,,,"), 2, "category '=cmd > x' begins like a formula."),
        ((COLUMNS, f"lamp,Lamp,{'<' * 60}{'b>' * 60},,,,,b,,L,1,2,,,"), 2, "too many tags in each other"),
        ((COLUMNS + ",Title", row() + ",x"), 1, "There are two columns Title."),
        ((COLUMNS, row(price="1.999")), 2, "Variant Price '1.999' is no price in EUR."),
        ((COLUMNS, row(price="1e99")), 2, "Variant Price '1e99' is no price in EUR."),
        ((COLUMNS, row(pieces="many")), 2, "Variant Inventory Qty 'many' is no number of pieces."),
        ((COLUMNS, row(pieces="99999999")), 2, "Variant Inventory Qty '99999999' is no number of pieces."),
        ((COLUMNS, row(sku="", price="")), 2, "It has no line with a Variant SKU and a Variant Price."),
        (
            (COLUMNS, row(), "cup" + row(sku="C")[4:], row(sku="L2", label="b")),
            4,
            "Handle 'lamp' was in line 2 already",
        ),
        ((COLUMNS, *(row(sku=f"L{n}", label=str(n)) for n in range(1001))), 1002, "no more than 1000 variants"),
        ((COLUMNS, '"' + row()), 2, "It has more or fewer cells"),
        (("Handle,Title,Variant Price", "a,b,1"), 1, "There is no column Variant SKU."),
        (("Handle;Title;Variant SKU;Variant Price", "a;b;c;1"), 1, "Columns are separated by commas."),
        (("",), 1, "There is no column Handle, Title, Variant SKU, Variant Price."),
    ],
)
def test_what_is_wrong_is_said_with_its_line(lines: tuple[str, ...], line: int, said: str) -> None:
    problems = refused(*lines)
    assert len(problems) == 1, problems
    assert problems[0][0] == line
    assert said in problems[0][1]


def test_everything_that_has_changed_is_changed() -> None:
    run()
    other = GOOD[1].replace("glazed", "painted").replace("Cups", "Bowls").replace("TRUE,Hue", "FALSE,Hue")
    run(COLUMNS, other.replace("14.90,TRUE", "14.90,FALSE"), *GOOD[2:])
    cup = Product.objects.select_related("category").get(slug="cup")
    assert (cup.description, cup.category.path) == ("Thrown & painted.\nx", "home/bowls/")
    assert (cup.live, cup.tax_class) == (False, TaxClass.ZERO)


def test_a_new_price_keeps_nobody_waiting_who_orders(django_assert_max_num_queries: Any) -> None:
    """A change of a column with a unique index is one for which others wait."""
    run()
    with CaptureQueriesContext(connection) as asked_:
        run(*(line.replace("14.90", "15.90") for line in GOOD))
    assert Variant.objects.get(sku="CUP-W").price == Decimal("15.90")
    assert not [query for query in asked_ if "'~'" in query["sql"]]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_edits_a_product_at_the_desk_and_an_import_do_not_wait_in_a_circle(committed: None) -> None:
    """The desk saves a product, and then its variants."""
    run()
    imported: list[Report] = []

    def again() -> None:
        imported.append(run(*(line.replace("14.90", "15.90") for line in GOOD)))
        connection.close()

    thread = threading.Thread(target=again)
    with transaction.atomic():
        Product.objects.filter(slug="cup").update(name="Edited")
        thread.start()
        thread.join(0.5)
        Variant.objects.filter(sku="CUP-W").update(position=5)
    thread.join()
    assert [report.changed_variants for report in imported] == [1]
    assert Variant.objects.get(sku="CUP-W").price == Decimal("15.90")


def test_the_ledger_says_who_has_imported() -> None:
    boss = make_person(staff=True)
    services.run(file(), by=boss, try_only=False)
    assert {each.by for each in Movement.objects.all()} == {boss}


def test_a_file_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importer.dialect.MOST_LINES", 2)
    assert refused() == [(4, "No more than 2 lines are read.")]


def test_a_file_that_is_too_large_is_refused(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importer.admin.LARGEST", 10)
    upload = SimpleUploadedFile("x.csv", file().getvalue())
    page = staff("Catalogue").post("/admin/importer/import/add/", {"file": upload}).content.decode()
    assert "MB at most: cut it in two." in page
    assert not Import.objects.exists()


def test_one_wrong_line_of_many_and_nothing_is_imported() -> None:
    problems = refused(*GOOD, row(price="free"), row(sku="L2", label="b", price="?"))
    assert [line for line, _ in problems] == [8, 9]


def test_what_belongs_to_another_product_stays_there() -> None:
    run()
    with pytest.raises(FileRefusedError, match="line 2: SKU 'CARD' is of the product 'card' already"):
        run(COLUMNS, row(sku="CARD"))
    assert Variant.objects.get(sku="CARD").product.slug == "card"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (COLUMNS.encode() + b"\n" + row().replace("Lamp", "L\xe4mpchen").encode("latin-1"), 2),
        (COLUMNS.encode("utf-16"), 1),
        (b"PK\x03\x04\xff\xfe", 1),
    ],
)
def test_another_encoding_is_named(body: bytes, line: int) -> None:
    with pytest.raises(FileRefusedError, match="This is not UTF-8"):
        services.run(io.BytesIO(body), by=None, try_only=False)


def test_a_mark_at_the_beginning_does_no_harm() -> None:
    services.run(io.BytesIO(b"\xef\xbb\xbf" + file().getvalue()), by=None, try_only=False)
    assert Product.objects.count() == 3


@pytest.mark.parametrize("wrong", [row(price="?"), "too,few", "too" + "," * 99])
def test_a_file_full_of_mistakes_ends_after_a_hundred(wrong: str) -> None:
    problems = refused(COLUMNS, *(wrong.replace("LAMP", f"L{number}") for number in range(500)))
    assert len(problems) == 101
    assert "No more than" in problems[-1][1]


def test_a_first_line_that_is_none_is_refused() -> None:
    with pytest.raises(FileRefusedError, match="line 1: It is no CSV"):
        services.run(io.BytesIO(b'"' + b"x" * 200_000), by=None, try_only=False)


def test_letters_that_are_none_are_left_out() -> None:
    run(COLUMNS, "lamp,La\x00mp,,,Ho\x00me > \x00,,,bl\x00ue,,LAMP,1,20,,,")
    variant = Variant.objects.select_related("product__category").get()
    assert (variant.label, variant.product.name, variant.product.category.path) == ("blue", "Lamp", "home/")


def test_a_shelf_always_has_an_address() -> None:
    run(COLUMNS, row().replace(",,,,,,", f",,,{chr(20013) * 80}a,,,", 1))
    assert {*Category.objects.values_list("path", flat=True)} == {"products/"}


def test_a_label_that_another_sku_has_is_named_before_anything_is_written() -> None:
    run()
    renamed = [line.replace("CUP-B", "CUP-NEW") for line in GOOD]
    with pytest.raises(FileRefusedError, match=r"line 2: The variant 'blue, M' has the SKU 'CUP-B' already"):
        run(*renamed)
    assert Variant.objects.count() == 4


def test_many_products_cost_as_many_queries_as_one(django_assert_max_num_queries: Any) -> None:
    lines = [row(sku=f"L{number}").replace("lamp", f"lamp-{number}") for number in range(400)]
    with django_assert_max_num_queries(22):
        run(COLUMNS, *lines)
    assert Product.objects.count() == Level.objects.count() == 400
    assert differences() == {}


def test_killed_between_two_batches_the_same_file_brings_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    seen = []

    def killed(report: Report) -> None:
        seen.append(report.products)
        if report.products == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.run(file(), by=None, try_only=False, alive=killed)
    assert Product.objects.count() == 2
    assert run() == Report(products=3, variants=4, new_products=1, new_variants=1)
    assert differences() == {}


def asked(body: bytes = b"", **fields: Any) -> Import:
    upload = SimpleUploadedFile("products.csv", body or file().getvalue())
    return Import.objects.create(file=upload, name="products.csv", try_only=False, **fields)


def test_the_catalogue_uploads_and_reads_what_became_of_it(staff: Staff, commits: Commits, tmp_path: Path) -> None:
    catalogue = staff("Catalogue")
    page = catalogue.get("/admin/importer/import/add/").content.decode()
    assert 'name="try_only"' in page
    with commits():
        upload = SimpleUploadedFile("../../products.csv", file().getvalue())
        assert catalogue.post("/admin/importer/import/add/", {"file": upload, "try_only": "on"}).status_code == 302
    done = Import.objects.get()
    assert (done.state, done.by, done.name) == (State.DONE, User.objects.get(), "products.csv")
    assert done.report["new_products"] == 3
    assert not Product.objects.exists()
    with commits():
        catalogue.post("/admin/importer/import/add/", {"file": SimpleUploadedFile("x.csv", b"Handle\n<b>")})
    refused_ = Import.objects.latest("pk")
    page = catalogue.get(f"/admin/importer/import/{refused_.pk}/change/").content.decode()
    assert "line 1: There is no column Title, Variant SKU, Variant Price." in page
    assert not [*tmp_path.rglob("*.csv")], "what is done with is not kept"
    for role in ("Support", "Fulfilment", "Finance"):
        assert staff(role).get("/admin/importer/import/").status_code == 403, role


def test_an_import_that_nobody_has_done_is_taken_up(tmp_path: Path) -> None:
    lost = asked()
    killed = asked(body=f"{COLUMNS}\n{row()}".encode())
    long_ago = timezone.now() - timedelta(minutes=6)
    Import.objects.update(at=long_ago)
    Import.objects.filter(pk=killed.pk).update(state=State.RUNNING, alive_at=long_ago)
    call_command("housekeeping")
    assert {*Import.objects.values_list("pk", "state")} == {(lost.pk, State.DONE), (killed.pk, State.DONE)}
    assert Product.objects.count() == 4


def test_what_is_done_is_not_done_again() -> None:
    made = asked()
    services.carry_out(made.pk)
    services.carry_out(made.pk)
    made.refresh_from_db()
    assert (made.state, made.report["new_products"]) == (State.DONE, 3)


def test_a_mistake_of_ours_ends_an_import_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(services, "write", breaks)
    made = asked()
    services.carry_out(made.pk)
    made.refresh_from_db()
    assert made.state == State.BROKEN
    assert "secret" not in str(made.report)


def test_what_kills_three_times_is_given_up(tmp_path: Path) -> None:
    made = asked()
    Import.objects.update(attempts=3)
    services.carry_out(made.pk)
    made.refresh_from_db()
    assert made.state == State.BROKEN
    services.carry_out_left()
    assert not [*tmp_path.rglob("*.csv")]


def test_who_was_taken_for_dead_writes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked()

    def taken_over(*_: object, **__: object) -> list[tuple[int, str]]:
        Import.objects.update(state=State.QUEUED, claim=None)
        return []

    monkeypatch.setattr(services, "elsewhere", taken_over)
    services.carry_out(made.pk)
    made.refresh_from_db()
    assert made.state == State.QUEUED
    assert not Product.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_eight_at_once_one_is_done_at_a_time_and_none_is_lost(committed: None) -> None:
    made = [asked() for _ in range(8)]
    together(lambda number: services.carry_out(made[number].pk), 8)
    Import.objects.update(at=timezone.now() - timedelta(minutes=6))
    services.carry_out_left()
    assert {*Import.objects.values_list("state", flat=True)} == {State.DONE}
    assert sum(each.report["new_products"] for each in Import.objects.all()) == Product.objects.count() == 3
    assert differences() == {}


def test_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(file().getvalue())
    call_command("import_products", path, "--dry-run")
    assert "3 and 4 would be new" in capsys.readouterr().out
    assert not Product.objects.exists()
    call_command("import_products", path)
    assert "3 products with 4 variants: 3 and 4 new" in capsys.readouterr().out
    path.write_text("Handle")
    with pytest.raises(CommandError, match=r"line 1: There is no column .*\nNothing was imported\."):
        call_command("import_products", path)
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("import_products", tmp_path / "none.csv")
