"""Products and movements over HTTP: a request becomes a call, and what comes back an answer."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import http_date

from accounts.callers import READ, WRITE
from config.api import LOCATION, Answer, View, answer, operation
from config.cursors import page
from config.etags import is_meant
from config.problems import Invalid, NotFound
from config.values import Id
from stock import services
from stock.filters import MovementFilter, ProductFilter
from stock.models import Movement, Product
from stock.serializers import (
    MovementPage,
    MovementQuery,
    MovementRead,
    NewMovement,
    NewProduct,
    ProductChange,
    ProductPage,
    ProductQuery,
    ProductRead,
    Sku,
    Sparse,
    SparseProduct,
    product_json,
    sparse,
)  # fmt: skip
from stock.services import Seen

ROW = ["id", "sku", "name", "on_hand", "reserved", "overdue", "created_at", "updated_at"]
COLUMNS = {"id": ["id"], "sku": ["sku"], "name": ["name", "id"]}


class Products(View):
    """All of them."""

    tag = "products"

    @operation("listProducts", "Products, newest first.", scope=READ, gives=ProductPage, query=ProductQuery)
    def get(self) -> Answer:
        sort = self.asked["sort"]
        columns = COLUMNS[sort.removeprefix("-")]
        products = filtered(ProductFilter, Product.objects.now(), self.asked)
        found, following = page(
            products.values_list(*ROW, named=True),  # not objects: fifty of them cost a fifth of all
            by=columns,
            of=which(self.request.path, self.asked, sort=sort),
            asked=self.asked,
            backwards=sort.startswith("-"),
        )
        return answer({"items": [sparse(product_json(each), self.asked) for each in found], "next": following})

    @operation(
        "createProduct", "A new product, with nothing on hand.", scope=WRITE,
        takes=NewProduct, gives=ProductRead, status=201, refuses=(409,), headers={"Location": LOCATION},
    )  # fmt: skip
    def post(self) -> Answer:
        product = services.create(**self.given, by=self.caller.subject)
        return answer(product_json(product), 201, Location=reverse("product", args=[product.pk]))


class OneProduct(View):
    """One of them."""

    tag = "products"
    named = {"product_id": Id}

    @operation("readProduct", "A product and its stock now.", scope=READ, gives=SparseProduct, query=Sparse)
    def get(self, product_id: int) -> Answer:
        return answer(sparse(product_json(found(pk=product_id)), self.asked))

    @operation(
        "changeProduct", "Another SKU, another name. What is left out stays.", scope=WRITE,
        takes=ProductChange, gives=ProductRead, if_match=True, refuses=(409,),
    )  # fmt: skip
    def patch(self, product_id: int) -> Answer:
        product = services.change(product_id=product_id, seen=self.seen(), by=self.caller.subject, **self.given)
        return answer(product_json(product))

    @operation(
        "deleteProduct", "Only a product that never moved and was never put aside can go.", scope=WRITE,
        status=204, if_match=True, refuses=(409,),
    )  # fmt: skip
    def delete(self, product_id: int) -> Answer:
        services.delete(product_id=product_id, seen=self.seen(), by=self.caller.subject)
        return answer(None, 204, tagged=False)

    def seen(self) -> Seen:
        """Whether a product is what the caller has read."""
        said = self.request.META["HTTP_IF_MATCH"]
        return lambda product: is_meant(said, answer(product_json(product)).headers["ETag"])


class Movements(View):
    """What has changed the number on hand of a product."""

    tag = "movements"
    named = {"product_id": Id}

    @operation("listMovements", "Newest first.", scope=READ, gives=MovementPage, query=MovementQuery)
    def get(self, product_id: int) -> Answer:
        movements = filtered(MovementFilter, Movement.objects.filter(product=product_id), self.asked)
        items, following = page(movements, of=which(self.request.path, self.asked), asked=self.asked)
        if not items and not Product.objects.filter(pk=product_id).exists():
            raise NotFound
        return answer({"items": MovementRead(items, many=True).data, "next": following})

    @operation(
        "moveStock", "Receive, issue or correct. What is put aside can neither be issued nor corrected away.",
        scope=WRITE, takes=NewMovement, gives=MovementRead, status=201, once=True, tagged=False, refuses=(409,),
    )  # fmt: skip
    def post(self, product_id: int) -> Answer:
        movement = services.move(product_id=product_id, by=self.caller.subject, **self.given)
        return answer(MovementRead(movement).data, 201, tagged=False)


STRING = {"type": "string"}


class Stock(View):
    """A product by its SKU, as it was done before lists had filters."""

    tag = "products"
    named = {"sku": Sku}

    @operation(
        "readStock", "A product by its SKU. Ask for `/api/v1/products?sku=` instead.", scope=READ, gives=ProductRead,
        deprecated=True, headers={"Deprecation": STRING | {"pattern": "^@[0-9]+$"}, "Sunset": STRING,
            "Link": STRING | {"pattern": 'rel="successor-version"'}},
    )  # fmt: skip
    def get(self, sku: str) -> Answer:
        product = found(sku=sku)
        return answer(
            product_json(product),
            Deprecation=f"@{int(settings.STOCK_DEPRECATED.timestamp())}",
            Sunset=http_date(settings.STOCK_SUNSET.timestamp()),
            Link=f'<{reverse("products")}?sku={product.sku}>; rel="successor-version"',
        )


def found(**by: Any) -> Product:
    """A product as it is now. Raises NotFound."""
    product = Product.objects.now().filter(**by).first()
    if product is None:
        raise NotFound
    return product


NO_FILTERS = ("limit", "cursor", "fields", "sort")


def filters(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, but where in the list, and what of it."""
    return {name: each for name, each in sorted(asked.items()) if name not in NO_FILTERS}


def filtered(by: Any, rows: QuerySet[Any], asked: dict[str, Any]) -> Any:
    """The rows that are asked for. A set of filters costs as much as a query: none is made where nothing is asked."""
    given = filters(asked)
    if not given:
        return rows
    found = by(given, queryset=rows)
    if not found.is_valid():  # it would leave out what it does not take, and give everything
        raise Invalid(errors=({"parameter": name, "detail": each[0]} for name, each in found.errors.items()))
    return found.qs


def which(path: str, asked: dict[str, Any], sort: str = "") -> str:
    """Which list a cursor is of: its address, its filters and its order."""
    return f"{path} {sort} {filters(asked)!r}"
