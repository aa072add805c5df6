"""What may happen to reservations. Each is one transaction, and takes the product's row before the reservation's."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit.services import record
from config.problems import Invalid, NotFound
from reservations.errors import Closed
from reservations.models import Reservation, State
from stock.models import Kind, Movement, Product
from stock.services import joined, put_aside, release_overdue


@joined
def hold(*, product_id: int, quantity: int, expires_in: int, by: str) -> Reservation:
    """Put so many aside. Raises NotEnough; Invalid when there is no such product."""
    try:
        put_aside(product_id, quantity)
    except NotFound as error:
        raise no_product("#/product_id") from error
    now = timezone.now()
    return Reservation.objects.create(
        product_id=product_id,
        holder=by,
        quantity=quantity,
        expires_at=now + timedelta(seconds=expires_in),
        created_at=now,
    )


def no_product(pointer: str) -> Invalid:
    return Invalid(errors=[{"pointer": pointer, "detail": "There is no such product."}])


@joined
def confirm(*, reservation_id: int, by: str) -> Reservation:
    """What was put aside goes out, by a movement. Raises Closed, NotFound."""
    reservation = ended(reservation_id, by, State.CONFIRMED)
    product = Product.objects.filter(pk=reservation.product_id)
    product.update(on_hand=F("on_hand") - reservation.quantity, reserved=F("reserved") - reservation.quantity)
    Movement.objects.create(
        product_id=reservation.product_id,
        reservation=reservation,
        kind=Kind.ISSUE,
        change=-reservation.quantity,
        on_hand=product.values_list("on_hand", flat=True).get(),
        created_at=timezone.now(),
    )
    record(by=by, action="confirm reservation", about=f"reservation {reservation.pk}")
    return reservation


@joined
def cancel(*, reservation_id: int, by: str, for_holder: str = "") -> Reservation:
    """What was put aside can be had again. Raises Closed, NotFound. Staff do it for the holder."""
    reservation = ended(reservation_id, for_holder or by, State.CANCELLED)
    Product.objects.filter(pk=reservation.product_id).update(reserved=F("reserved") - reservation.quantity)
    record(by=by, action="cancel reservation", about=f"reservation {reservation.pk}")
    return reservation


def ended(reservation_id: int, holder: str, state: State) -> Reservation:
    """A held reservation of theirs in its last state; its product's row is ours. Raises Closed, NotFound."""
    reservation = mine(reservation_id, holder)
    Product.objects.select_for_update().filter(pk=reservation.product_id).values_list("pk").get()
    # Asked and changed at once, and after the wait for the product: of two who end it one comes too late.
    still_held = Reservation.objects.filter(pk=reservation_id, state=State.HELD, expires_at__gt=timezone.now())
    if not still_held.update(state=state):
        raise Closed("It is confirmed, cancelled or expired already.")
    reservation.state = state
    return reservation


def mine(reservation_id: int, holder: str) -> Reservation:
    """A reservation of theirs; for all others it does not exist. Raises NotFound."""
    reservation = Reservation.objects.filter(pk=reservation_id, holder=holder).first()
    if reservation is None:
        raise NotFound
    return reservation


def release_all_overdue() -> int:
    """What is overdue is released, product by product; how many products there were."""
    overdue = Reservation.objects.filter(state=State.HELD, expires_at__lte=timezone.now())
    products = sorted({*overdue.values_list("product", flat=True)})
    for product in products:
        with transaction.atomic():
            release_overdue(product)
    return len(products)
