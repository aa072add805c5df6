"""The shelves: what one finds, and what it costs to look."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from catalogue import services
from catalogue.models import Category, Product, ProductImage, TaxClass, Variant
from stock.models import Level
from tests.shelf import make_variant

pytestmark = pytest.mark.django_db


def html(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def named(client: Client, address: str) -> list[str]:
    """The products on a page."""
    return re.findall(r'<h[23]><a href="/products/[^"]+">([^<]+)</a>', html(client, address))


@pytest.fixture
def shelves(db: None) -> dict[str, Category]:
    made = {"kitchen": Category.objects.create(name="Kitchen", slug="kitchen")}
    made["cups"] = Category.objects.create(name="Cups", slug="cups", parent=made["kitchen"])
    made["desk"] = Category.objects.create(name="Desk", slug="desk")
    return made


def put(shelf: Category, name: str, price: str = "10.00", **fields: Any) -> Variant:
    slug = name.lower().replace(" ", "-")
    product = Product.objects.create(name=name, slug=slug, category=shelf, **fields)
    return make_variant(price, product=product)


def test_a_shelf_has_what_is_on_those_below(client: Client, shelves: dict[str, Category]) -> None:
    put(shelves["kitchen"], "Oak board")
    put(shelves["cups"], "Moor cup")
    put(shelves["desk"], "Arc lamp")
    assert named(client, "/shop/kitchen/") == ["Moor cup", "Oak board"]
    assert named(client, "/shop/kitchen/cups/") == ["Moor cup"]
    assert set(named(client, "/")) == {"Moor cup", "Oak board", "Arc lamp"}
    for address in ("/shop/nothing/", "/shop/cups/", "/products/nothing/"):
        html(client, address, 404)


def test_a_shelf_takes_along_what_is_below(shelves: dict[str, Category]) -> None:
    shelves["kitchen"].slug = "cooking"
    shelves["kitchen"].save()
    assert Category.objects.get(slug="cups").path == "cooking/cups/"


def test_a_shelf_is_neither_below_itself_nor_too_deep(shelves: dict[str, Category]) -> None:
    shelves["kitchen"].parent = shelves["cups"]
    with pytest.raises(ValidationError, match="below itself"):
        shelves["kitchen"].clean()
    shelves["kitchen"].parent = None
    deep = shelves["cups"]
    for number in range(2):
        deep = Category.objects.create(name="x", slug=f"x{number}", parent=deep)
    with pytest.raises(ValidationError, match="No deeper"):
        Category(name="x", slug="y", parent=deep).clean()
    with pytest.raises(ValidationError, match="already"):
        Category(name="Cups", slug="cups", parent=shelves["kitchen"]).clean()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Arc lamp", "Moor cup", "Oak board"]),
        ("?least=12", ["Arc lamp", "Oak board"]),
        ("?most=12", ["Moor cup"]),
        ("?least=12&most=30,5", ["Oak board"]),
        ("?order=price", ["Moor cup", "Oak board", "Arc lamp"]),
        ("?order=-price", ["Arc lamp", "Oak board", "Moor cup"]),
        ("?available=on", ["Arc lamp", "Oak board"]),
        ("?q=oak", ["Oak board"]),
        ("?q=boa+OA", ["Oak board"]),
        ("?q=ringing", ["Moor cup"]),
        ("?q=oak+cup", []),
        ("?least=x&most=NaN&order=x&page=0", ["Arc lamp", "Moor cup", "Oak board"]),
        ("?least=-1&most=1e99&page=²", ["Arc lamp", "Moor cup", "Oak board"]),
        ("?q=%00%27%3B%20%26%7C%21%28%3A%2A", []),
        ("?q=%C3%B8%22%5C", []),
        ("?q=" + "x" * 5000, []),
        ("?page=2", []),
    ],
)
def test_one_finds_what_one_looks_for(
    client: Client, shelves: dict[str, Category], query: str, found: list[str]
) -> None:
    put(shelves["kitchen"], "Oak board", "29.00")
    cup = put(shelves["cups"], "Moor cup", "10.00", description="Ringing when one taps it.")
    put(shelves["desk"], "Arc lamp", "89.00")
    Level.objects.filter(pk=cup.pk).update(available=0)
    names = named(client, f"/search/{query}")
    assert (names if "order=p" in query or "order=-" in query else sorted(names)) == found


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the index is tested with --database postgresql")
def test_the_search_has_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "product_search" in services.matching(Product.objects.all(), "oak").explain()


def test_the_hundredth_page_is_the_last(client: Client, shelves: dict[str, Category]) -> None:
    html(client, "/search/?page=100")
    html(client, "/search/?page=101", 404)


def test_more_are_shown_page_by_page(client: Client, shelves: dict[str, Category]) -> None:
    for number in range(30):
        put(shelves["desk"], f"Lamp {number}")
    first, second = named(client, "/shop/desk/"), named(client, "/shop/desk/?page=2")
    assert (len(first), len(second)) == (24, 6)
    assert not {*first} & {*second}
    assert 'href="?page=2"' in html(client, "/shop/desk/")
    assert "Show more" not in html(client, "/shop/desk/?page=2")
    part = client.get("/shop/desk/?page=2", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert "<html" not in part.content.decode()
    assert part.content.count(b"<article>") == 6


def test_the_lowest_price_is_that_of_the_cheapest_that_is_for_sale(shelves: dict[str, Category]) -> None:
    variant = put(shelves["desk"], "Lamp", "20.00")
    other = make_variant("15.00", product=variant.product)

    def lowest() -> Decimal | None:
        return Product.objects.get().lowest_price

    assert lowest() == 15
    other.live = False
    other.save()
    assert lowest() == 20
    variant.price = Decimal(30)
    variant.save()
    assert lowest() == 30
    make_variant("5.00", product=variant.product, stock_of=0).delete()
    assert lowest() == 30


def test_what_is_not_for_sale_is_not_on_the_shelves(client: Client, shelves: dict[str, Category]) -> None:
    variant = put(shelves["desk"], "Lamp")
    Product.objects.update(live=False)
    assert named(client, "/") == named(client, "/search/") == []
    page = html(client, variant.product.get_absolute_url())
    assert "This is not sold any more." in page
    assert "Put into the basket" not in page
    assert "/products/" not in html(client, "/sitemap-products.xml")


def test_a_product_says_what_there_is(client: Client, shelves: dict[str, Category]) -> None:
    variant = put(shelves["desk"], "Lamp", "20.00", description="Light.</script><script>alert(1)</script>")
    make_variant("15.00", 2, product=variant.product, label="small")
    make_variant("25.00", 0, product=variant.product, label="large")
    page = html(client, variant.product.get_absolute_url())
    assert "only 2 left" in page
    assert "sold out" in page
    assert "<script>alert" not in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.+?)</script>', page)[1])  # type: ignore[index]
    offers = {each["sku"]: (each["price"], each["availability"].rpartition("/")[2]) for each in data["offers"]}
    assert sorted(offers.values()) == [("15.00", "InStock"), ("20.00", "InStock"), ("25.00", "OutOfStock")]
    assert '<link rel="canonical" href="http://testserver/products/lamp/">' in page
    Level.objects.update(available=0)
    assert "Sold out at the moment." in html(client, variant.product.get_absolute_url())


@pytest.mark.parametrize("many", [1, 24])
def test_pages_cost_the_same_for_many_products(
    client: Client, shelves: dict[str, Category], many: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(many):
        variant = put(shelves["cups"], f"Cup {number}")
        for each in range(3):
            make_variant(product=variant.product)
            ProductImage.objects.create(product=variant.product, alt="x", width=640, height=640, position=each)
    with django_assert_max_num_queries(8):
        html(client, "/shop/kitchen/")
    with django_assert_max_num_queries(7):
        html(client, variant.product.get_absolute_url())
    with django_assert_max_num_queries(8):
        html(client, "/search/?q=cup&least=1&available=on")


def test_search_engines_find_the_shelves(client: Client, shelves: dict[str, Category]) -> None:
    put(shelves["desk"], "Lamp", tax_class=TaxClass.REDUCED)
    assert "/sitemap-products.xml" in html(client, "/sitemap.xml")
    assert "/products/lamp/" in html(client, "/sitemap-products.xml")
    assert "/shop/kitchen/cups/" in html(client, "/sitemap-categories.xml")
    assert "Disallow: /checkout/" in html(client, "/robots.txt")
    assert '<meta name="robots" content="noindex">' in html(client, "/search/?q=lamp")
    assert "noindex" not in html(client, "/shop/desk/")


def test_a_price_has_no_more_digits_than_its_currency(shelves: dict[str, Category]) -> None:
    variant = put(shelves["desk"], "Lamp")
    variant.price = Decimal("9.999")
    with pytest.raises(ValidationError, match="too many digits"):
        variant.clean()
