"""Products: what a caller would notice. The rules of HTTP are judged by `tests/contract/`."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from audit.models import Entry
from config.problems import Invalid
from reservations.models import Reservation
from stock.filters import ProductFilter
from stock.models import Product
from stock.views import filtered
from tests.callers import Caller


def queries(caller: Caller, path: str) -> list[str]:
    """What the database is asked for an address."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        caller.gets(path)
    return [each["sql"] for each in asked]


@pytest.mark.parametrize(
    ("path", "least"),
    [
        # * the products, and what of them has expired
        ("products", 1),
        ("products?limit=100&sort=name&search=tea&available_min=1&fields=sku", 1),
        ("products/{product}", 1),
        ("stock/TEA", 1),
        # * the movements
        ("products/{product}/movements", 1),
        # * the reservations
        ("reservations", 1),
        ("reservations?state=held", 1),
        ("reservations/{reservation}", 1),
    ],
)
def test_a_list_asks_as_much_for_a_hundred_as_for_one(ada: Caller, path: str, least: int) -> None:
    product = ada.product(on_hand=100, sku="TEA")
    path = path.format(product=product, reservation=ada.holds(product).json()["id"])
    ada.gets(path)  # the first takes some of the allowance
    assert len(queries(ada, path)) == least
    for _ in range(6):
        ada.holds(ada.product(on_hand=3))
        ada.moves(product, "receive", 1)
    assert len(queries(ada, path)) == least


def test_what_has_expired_is_subtracted_where_it_is_read_and_released_where_it_is_needed(ada: Caller) -> None:
    product = ada.product(on_hand=5)
    ada.holds(product, 2)
    ada.holds(product, 3)
    Reservation.objects.filter(quantity=3).update(expires_at=timezone.now() - timedelta(seconds=1))
    read = ada.gets(f"products/{product}")
    assert (read["reserved"], read["available"]) == (2, 3)
    assert ada.gets("products")["items"] == [read]
    assert ada.gets("products?available_min=3")["items"] == [read]
    assert ada.gets("products?available_min=4")["items"] == []
    assert Product.objects.get(pk=product).reserved == 5, "nobody has written anything"
    assert ada.moves(product, "issue", 3).status_code == 201
    assert Product.objects.values_list("on_hand", "reserved").get(pk=product) == (2, 2)
    assert [*Reservation.objects.values_list("state", flat=True)] == ["expired", "held"]


def test_lists_are_filtered_sorted_and_sparse(ada: Caller) -> None:
    for sku, name in (("B", "Zebra tea"), ("A", "Apple"), ("C", "Mint TEA")):
        ada.ask("POST", "products", {"sku": sku, "name": name})

    def skus(query: str) -> str:
        return "".join(each["sku"] for each in ada.gets(f"products?{query}")["items"])

    assert skus("search=tea") == "CB"
    assert skus("search=TEA&sort=sku") == "BC"
    assert skus("sku=A") == "A"
    assert skus("sku=a") == ""
    assert [skus(f"sort={sort}") for sort in ("id", "-id", "sku", "-sku", "name", "-name")] == [
        "BAC", "CAB", "ABC", "CBA", "ACB", "BCA",
    ]  # fmt: skip
    assert ada.gets("products?fields=sku,available&limit=1")["items"] == [
        {"id": Product.objects.get(sku="C").pk, "sku": "C", "available": 0}
    ]
    wrong = ada.ask("GET", "products?fields=sku,price")
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "fields")


@pytest.mark.parametrize("sort", ["id", "-id", "sku", "-sku", "name", "-name"])
def test_pages_in_any_order_neither_repeat_nor_lose(ada: Caller, sort: str) -> None:
    for number in range(9):
        # Three have the same name, and there is none that is longer.
        name = "🍵" * 199 + str(number // 3)
        assert ada.ask("POST", "products", {"sku": f"T{number * 7 % 9}", "name": name}).status_code == 201
    query, seen = f"products?sort={sort}&limit=2", []
    page = ada.gets(query)
    seen += page["items"]
    while page["next"]:
        assert len(page["next"]) <= 2048
        page = ada.gets(f"{query}&cursor={page['next']}")
        seen += page["items"]
    assert [each["id"] for each in seen] == [each["id"] for each in ada.gets(f"products?sort={sort}")["items"]]
    assert len({each["id"] for each in seen}) == 9
    if "name" in sort:
        assert [each["name"] for each in seen] == sorted((each["name"] for each in seen), reverse=sort == "-name")


def test_a_cursor_is_of_its_list_filters_and_order(ada: Caller) -> None:
    for _ in range(3):
        ada.product()
    product = ada.product(on_hand=1)
    ada.moves(product, "receive", 1)
    cursor = ada.gets("products?limit=1&sort=sku")["next"]
    assert ada.ask("GET", f"products?limit=2&sort=sku&fields=sku&cursor={cursor}").status_code == 200
    others = ["products?", "products?sort=-sku&", "products?sort=sku&search=T&", f"products/{product}/movements?"]
    for other in others:
        answer = ada.ask("GET", f"{other}limit=1&cursor={cursor}")
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-cursor"), other


def test_a_cursor_that_was_altered_anywhere_is_none(ada: Caller) -> None:
    for _ in range(3):
        ada.product()
    cursor = ada.gets("products?limit=1")["next"]
    for place in range(len(cursor)):
        for other in ("A", "_", "~", "="):
            altered = cursor[:place] + other + cursor[place + 1 :]
            if altered != cursor:
                assert ada.ask("GET", f"products?limit=1&cursor={altered}").status_code == 400, altered


def test_a_cursor_of_the_secret_before_goes_on(ada: Caller, settings: Settings) -> None:
    ids = [ada.product() for _ in range(3)]
    cursor = ada.gets("products?limit=1")["next"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [settings.SECRET_KEY]
    assert [each["id"] for each in ada.gets(f"products?limit=1&cursor={cursor}")["items"]] == [ids[1]]


def test_what_is_done_to_products_is_written_down(ada: Caller) -> None:
    product = ada.product(sku="TEA")
    ada.ask("PATCH", f"products/{product}", {"name": "Black tea"}, If_Match="*")
    ada.ask("PATCH", f"products/{product}", {"name": "Black tea"}, If_Match="*")
    deleted = ada.ask("DELETE", f"products/{product}", If_Match="*")
    seen = [*Entry.objects.order_by("pk").values_list("principal", "action", "about", "detail")]
    assert seen == [
        ("ada", "create product", f"product {product}", {"sku": "TEA", "name": "Green tea"}),
        ("ada", "change product", f"product {product}", {"name": "Black tea"}),
        ("ada", "delete product", f"product {product}", {"sku": "TEA"}),
    ]
    assert Entry.objects.latest("pk").request_id == deleted["X-Request-ID"]


def test_the_old_way_says_until_when(ada: Caller) -> None:
    ada.product(sku="TEA")
    answer = ada.ask("GET", "stock/TEA")
    assert answer.json()["sku"] == "TEA"
    assert answer["Deprecation"].startswith("@17")
    assert answer["Sunset"].endswith("GMT")
    assert answer["Link"] == '</api/v1/products?sku=TEA>; rel="successor-version"'
    assert ada.ask("GET", "stock/tea").status_code == 404
    assert ada.ask("GET", "stock/COFFEE").status_code == 404


@pytest.mark.parametrize("query", ["sku=%00", "search=%00", "search=a%00", "sort=%00"])
def test_what_no_text_can_be_is_refused_and_not_left_out(ada: Caller, query: str) -> None:
    ada.product()
    assert ada.ask("GET", f"products?{query}").status_code == 422


def test_a_filter_that_does_not_take_what_it_is_given_does_not_give_everything(ada: Caller) -> None:
    ada.product()
    with pytest.raises(Invalid):
        filtered(ProductFilter, Product.objects.now(), {"search": "\0"})


def test_as_many_as_a_column_holds_may_be_asked_for(ada: Caller) -> None:
    ada.holds(ada.product(on_hand=5), 2)
    assert ada.gets(f"products?available_min={2**63 - 1}")["items"] == []


def test_an_ascii_letter_is_found_in_either_case(ada: Caller) -> None:
    ada.ask("POST", "products", {"sku": "TEA", "name": "Thé VERT"})
    for text in ("vert", "VERT", "thé", "tH"):
        assert len(ada.gets(f"products?search={text}")["items"]) == 1, text
