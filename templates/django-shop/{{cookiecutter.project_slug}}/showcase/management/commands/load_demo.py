"""A shop to look at and to try things out on. Run again, it changes nothing."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from basket import services as baskets
from basket.models import Basket
from catalogue import images
from catalogue.models import Category, Product, ProductImage, TaxClass, Variant
from orders import services as orders
from orders.models import Mail, Order, ShippingMethod, TaxRate
from orders.services import Address, Customer
from payments import services as payments
from payments.models import Payment, Refund
from payments.providers.fake import FakeProvider
from payments.tasks import carry_out
from showcase import things
from stock import services as stock
from stock.models import Reason

RATES = {"AT": ("20", "10"), "CH": ("8.1", "2.6"), "DE": ("19", "7"), "FR": ("20", "5.5"), "NL": ("21", "9")}
STATES = ["pending", "paid", "paid", "paid", "shipped", "shipped", "returned", "cancelled", "refunded", "expired"]


class Command(BaseCommand):
    help = __doc__ or ""

    @transaction.atomic
    def handle(self, *_arguments: Any, **_options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("load_demo is not for production: it would sell what is not there.")
        if Product.objects.exists():
            self.stdout.write("There are products already; nothing was changed.")
            return
        ways()
        shelves()
        for number, address in enumerate(things.addresses()[: len(STATES)]):
            order(number, address, STATES[number])
        for refund in Refund.objects.filter(status=Refund.Status.PENDING):
            carry_out.call(refund.pk)
        # They are made up: nobody gets their mails, and the demo does not print them.
        Mail.objects.filter(event__order__email__endswith="@example.org").update(sent_at=timezone.now())
        self.stdout.write(f"{Product.objects.count()} products, {Order.objects.count()} orders.")


def ways() -> None:
    """Taxes and parcels."""
    for country, (standard, reduced) in RATES.items():
        TaxRate.objects.create(country=country, tax_class=TaxClass.STANDARD, percent=Decimal(standard))
        TaxRate.objects.create(country=country, tax_class=TaxClass.REDUCED, percent=Decimal(reduced))
    near, far = "AT DE NL", "CH FR"
    ShippingMethod.objects.create(name="Parcel", countries=near, price=Decimal("4.90"), free_from=Decimal(60))
    ShippingMethod.objects.create(name="Parcel abroad", countries=far, price=Decimal("12.90"))
    ShippingMethod.objects.create(name="By courier, tomorrow", countries="DE", price=Decimal("14.00"), position=1)


def shelves() -> None:
    """Products on their shelves, with pictures and stock."""
    below: dict[str, Category] = {}
    for position, (name, names) in enumerate(things.SHELVES.items()):
        shelf = Category.objects.create(name=name, slug=slugify(name), position=position)
        below |= {each: Category.objects.create(name=each, slug=slugify(each), parent=shelf) for each in names}
    for number, (kind, name, slug, price, labels) in enumerate(things.products()):
        made = Product.objects.create(name=name, slug=slug, category=below[kind], description=things.TEXT)
        for position, label in enumerate(labels):
            sku = f"{slug}-{position + 1}".upper()
            cost = price + 4 * position
            variant = Variant.objects.create(product=made, sku=sku, label=label, price=cost, position=position)
            if many := (number * 7 + position * 3) % 23:
                stock.correct(variant=variant.pk, delta=many + 4, reason=Reason.RECEIVED, by=None, reference="demo")
        picture = images.opened(things.jpeg(things.picture(number, kind)))
        image = ProductImage(product=made, alt=f"A drawing of a {name.lower()} on a table, by a window")
        image.width, image.height = picture.size
        images.keep(picture, image.name)
        image.save()


def order(number: int, address: dict[str, str], state: str) -> None:
    """An order that has got as far as that."""
    user = User.objects.filter(email="customer@example.org").first() if number % 3 == 0 else None
    email = user.email if user else f"{slugify(address['name'])}@example.org"
    basket = Basket.objects.create()
    for variant in Variant.objects.filter(level__available__gte=4).select_related("product")[number : number + 2]:
        baskets.add(basket=basket, variant=variant, quantity=1 + number % 2)
    customer = Customer(email=email, address=Address(**address), user=user)
    method = orders.methods(address["country"])[0]
    total = orders.quoted(basket, baskets.contents(basket), method, address["country"]).total
    made = orders.place(basket=basket, customer=customer, method=method, expected=total)
    basket.delete()
    if state == "pending":
        return
    if state == "expired":
        Order.objects.filter(pk=made.pk).update(reserved_until=timezone.now() - timedelta(minutes=1))
        orders.expire_unpaid()
        return
    payment = payments.start(made)
    pay(payment)
    made.refresh_from_db()
    if state in ("shipped", "returned", "refunded"):
        orders.ship(made, tracking=f"00340434{number:012}", by=None)
    if state == "returned":
        orders.take_back(made, quantities={line.pk: line.quantity for line in made.lines.all()}, again=True, by=None)
    if state in ("refunded", "returned"):
        payment.refresh_from_db()
        payments.refund(payment=payment, amount=payment.left, reason="Arrived broken.", by=None)
    if state == "cancelled":
        payments.cancel(made, by=None, note="Ordered twice.")


def pay(payment: Payment) -> None:
    """As a customer of the fake provider would."""
    FakeProvider().pay(payment.reference, "works")
    payments.look(payment)
