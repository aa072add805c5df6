"""What may happen to products. Each is one transaction, and takes the product's row before any other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError, Sum
from django.db.models.expressions import Combinable
from django.utils import timezone

from audit.services import record
from config.problems import NotFound
from stock.errors import NotEnough, PreconditionFailed, ProductInUse, SkuTaken
from stock.models import Kind, Movement, Product

# A part of the transaction in which its answer is kept, or one of its own: all or nothing, so no savepoint.
joined = transaction.atomic(savepoint=False)

type Seen = Callable[[Product], bool]


@contextmanager
def unique_sku() -> Iterator[None]:
    """The database knows best whether a SKU is taken: two may ask at once."""
    try:
        yield
    except IntegrityError as error:
        if "sku" in str(error):
            raise SkuTaken("Another product has this SKU.") from error
        raise


@unique_sku()
@transaction.atomic
def create(*, sku: str, name: str, by: str) -> Product:
    """A new product, with nothing on hand."""
    now = timezone.now()
    product = Product.objects.create(sku=sku, name=name, created_at=now, updated_at=now)
    record(by=by, action="create product", about=f"product {product.pk}", sku=sku, name=name)
    return product


@unique_sku()
@transaction.atomic
def change(*, product_id: int, seen: Seen, by: str, **given: str) -> Product:
    """Another SKU, another name. Raises PreconditionFailed when it is not what was seen."""
    product = locked(product_id, seen)
    changed = {name: value for name, value in given.items() if getattr(product, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(product, name, value)
        product.updated_at = timezone.now()
        product.save(update_fields=[*changed, "updated_at"])
        record(by=by, action="change product", about=f"product {product.pk}", **changed)
    return product


@transaction.atomic
def delete(*, product_id: int, seen: Seen, by: str) -> None:
    """Away with a product that never moved and was never put aside."""
    product = locked(product_id, seen)
    try:
        product.delete()
    except ProtectedError as error:
        raise ProductInUse("It has movements or reservations.") from error
    record(by=by, action="delete product", about=f"product {product_id}", sku=product.sku)


def locked(product_id: int, seen: Seen) -> Product:
    """The product as it is now, which nobody else changes until the transaction is over."""
    Product.objects.select_for_update().filter(pk=product_id).values_list("pk").first()
    # In a statement of its own: one that has waited sees the row as it is now, but the reservations as they were.
    product = Product.objects.now().filter(pk=product_id).first()
    if product is None:
        raise NotFound
    if not seen(product):
        raise PreconditionFailed("Read it again: it is not what you have seen.")
    return product


@joined
def move(*, product_id: int, kind: str, quantity: int, by: str, note: str = "") -> Movement:
    """Receive, issue or correct. Raises NotEnough when that is not available, NotFound without a product."""
    delta = -quantity if kind == Kind.ISSUE else quantity
    take(product_id, -delta, on_hand=F("on_hand") + delta)
    on_hand = Product.objects.values_list("on_hand", flat=True).get(pk=product_id)
    movement = Movement.objects.create(
        product_id=product_id, kind=kind, change=delta, on_hand=on_hand, note=note, created_at=timezone.now()
    )
    record(by=by, action=kind, about=f"product {product_id}", change=delta, movement=movement.pk)
    return movement


def put_aside(product_id: int, quantity: int) -> None:
    """So many are reserved. Raises NotEnough, NotFound."""
    take(product_id, quantity, reserved=F("reserved") + quantity)


def take(product_id: int, many: int, **numbers: Combinable) -> None:
    """Change the numbers of a product of which so many can be had, in one statement that asks and takes at once.

    Raises NotEnough, NotFound.
    """
    enough = Product.objects.filter(pk=product_id, on_hand__gte=F("reserved") + many)
    if not enough.update(**numbers):
        # Perhaps what has expired since makes enough; otherwise it was looked at for nothing.
        if not release_overdue(product_id):
            raise NotFound
        if not enough.update(**numbers):
            raise NotEnough("Less than that is available.")


def release_overdue(product_id: int) -> bool:
    """Reservations of a product whose time is over are expired, and what they had is free; whether there is a product.

    The product first, then its reservations: everybody who changes either does it in this order, so nobody waits in a
    circle.
    """
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        return False
    # Asked when the product is ours: who had it before may have released them.
    overdue = product.reservations.filter(state="held", expires_at__lte=timezone.now())
    found = dict(overdue.values_list("pk", "quantity"))
    if found:
        product.reservations.filter(pk__in=found).update(state="expired")
        Product.objects.filter(pk=product_id).update(reserved=F("reserved") - sum(found.values()))
    return True


def differences() -> dict[int, tuple[int, int]]:
    """Where the number on hand is not the sum of the movements, by id: (number, sum). Always empty, or it is wrong."""
    summed = Product.objects.order_by().annotate(total=Sum("movements__change", default=0)).exclude(on_hand=F("total"))
    return {pk: (on_hand, total) for pk, on_hand, total in summed.values_list("pk", "on_hand", "total")}
