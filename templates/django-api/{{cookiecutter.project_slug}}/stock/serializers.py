"""What products and movements are in JSON."""

from typing import Any

from rest_framework.exceptions import ValidationError

from config.values import MOST, Count, Id, Instant, Next, Page, Query, Strict, instant, value
from stock.models import NAME, SKU, Kind

Sku = value("Sku", type="string", minLength=1, maxLength=40, pattern=SKU, examples=["TEA-GREEN-100"])
Name = value("Name", type="string", minLength=1, maxLength=200, pattern=NAME, examples=["Green tea, 100 g"])
Note = value("Note", type="string", maxLength=200, pattern=r"^[^\x00-\x1f\x7f]*$")
KindValue = value("KindValue", type="string", enum=Kind.values)
Quantity = value("Quantity", type="integer", minimum=-1_000_000, maximum=1_000_000, examples=[12])
MaybeId = value("MaybeId", type=["integer", "null"], minimum=1, maximum=MOST)
SkuFilter = value("SkuFilter", type="string", minLength=1, maxLength=40)
Search = value("Search", type="string", minLength=1, maxLength=100)
SORTS = ["id", "-id", "sku", "-sku", "name", "-name"]
Sort = value("Sort", type="string", enum=SORTS, default="-id")
FieldNames = value("FieldNames", type="string", maxLength=200, pattern="^[a-z_]+(,[a-z_]+)*$")


class NewProduct(Strict):
    """A product that is to be."""

    sku = Sku()
    name = Name()


class ProductChange(Strict):
    """What is to be another; what is left out stays."""

    sku = Sku(required=False)
    name = Name(required=False)
    least = 1


class ProductRead(Strict):
    """A product and its stock now."""

    id = Id()
    sku = Sku()
    name = Name()
    on_hand = Count()
    reserved = Count()
    available = Count()
    created_at = Instant()
    updated_at = Instant()


class SparseProduct(ProductRead):
    """Of a product, what was asked for."""

    def get_fields(self) -> Any:
        fields = super().get_fields()
        for name in fields.keys() - {"id"}:
            fields[name].required = False
        return fields


class ProductPage(Strict):
    """A page of products."""

    items = SparseProduct(many=True)
    next = Next()


class NewMovement(Strict):
    """What comes in, goes out, or was counted wrong."""

    kind = KindValue()
    quantity = Quantity()
    note = Note(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["quantity"] == 0 or (attrs["quantity"] < 0 and attrs["kind"] != Kind.CORRECT):
            least = "anything but 0" if attrs["kind"] == Kind.CORRECT else "at least 1"
            raise ValidationError({"quantity": [f"It is to be {least}."]})
        return attrs


class MovementRead(Strict):
    """A change of the number on hand, and the number after it."""

    id = Id()
    product_id = Id()
    reservation_id = MaybeId()
    kind = KindValue()
    change = Quantity()
    on_hand = Count()
    note = Note()
    created_at = Instant()


class MovementPage(Strict):
    """A page of movements."""

    items = MovementRead(many=True)
    next = Next()


class Sparse(Query):
    """Which members of a product."""

    fields = FieldNames(required=False)  # type: ignore[assignment]  # DRF's metaclass takes it out of the class

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = {*wanted(attrs)} - {*ProductRead().fields}
        if unknown:
            raise ValidationError({"fields": [f"A product has no {', '.join(sorted(unknown))}."]})
        return attrs


class ProductQuery(Page, Sparse):
    """Which products, in what order, and what of them."""

    sku = SkuFilter(required=False)
    search = Search(required=False)
    available_min = Count(required=False)
    sort = Sort()


class MovementQuery(Page):
    """Which movements of a product."""

    kind = KindValue(required=False)
    since = Instant(required=False)


def product_json(product: Any) -> dict[str, Any]:
    """A product as it is sent, or a row of these columns. It was asked for by `Products.now`."""
    reserved = product.reserved - product.overdue
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "on_hand": product.on_hand,
        "reserved": reserved,
        "available": product.on_hand - reserved,
        "created_at": instant(product.created_at),
        "updated_at": instant(product.updated_at),
    }


def wanted(asked: dict[str, Any]) -> list[str]:
    """The members of a product that are asked for; none is all."""
    return asked["fields"].split(",") if "fields" in asked else []


def sparse(product: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for of a product, and its id."""
    names = wanted(asked)
    return {name: each for name, each in product.items() if name == "id" or name in names} if names else product
