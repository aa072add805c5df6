"""Something to sell, for tests in this process and in others."""

from decimal import Decimal
from itertools import count

from basket import services as baskets
from basket.models import Basket
from catalogue.models import Category, Product, TaxClass, Variant
from config.money import Money
from orders import services as orders
from orders.models import Order, ShippingMethod, TaxRate
from orders.services import Address, Customer
from stock import services as stock
from stock.models import Reason

PASSWORD = "correct horse battery"
numbers = count(1)


def make_variant(price: str = "10.00", stock_of: int = 10, *, product: Product | None = None, **fields: str) -> Variant:
    """A thing to buy, and so many of it."""
    number = next(numbers)
    if product is None:
        category, _ = Category.objects.get_or_create(path="things/", defaults={"name": "Things", "slug": "things"})
        name = fields.pop("name", f"Thing {number}")
        product = Product.objects.create(name=name, slug=f"thing-{number}", category=category, description="A thing.")
    sku, label = fields.get("sku", f"SKU-{number}"), fields.get("label", f"kind {number}")
    variant = Variant.objects.create(product=product, sku=sku, label=label, price=Decimal(price))
    if stock_of:
        stock.correct(variant=variant.pk, delta=stock_of, reason=Reason.RECEIVED, by=None)
    return variant


def make_ways() -> ShippingMethod:
    """Taxes of one country, and a way to it."""
    TaxRate.objects.get_or_create(country="DE", tax_class=TaxClass.STANDARD, defaults={"percent": Decimal(19)})
    TaxRate.objects.get_or_create(country="DE", tax_class=TaxClass.REDUCED, defaults={"percent": Decimal(7)})
    method, _ = ShippingMethod.objects.get_or_create(
        name="Parcel", defaults={"countries": "DE AT", "price": Decimal("4.90"), "free_from": Decimal(100)}
    )
    return method


ADDRESS = Address(name="Ada Brandt", street="Harbour Road 1", postcode="10115", city="Berlin", country="DE")
CUSTOMER = Customer(email="ada@example.org", address=ADDRESS)


def fill(wanted: dict[Variant, int]) -> Basket:
    """A basket with so many of each."""
    basket = Basket.objects.create()
    for variant, quantity in wanted.items():
        baskets.add(basket=basket, variant=variant, quantity=quantity)
    return basket


def total_of(basket: Basket, method: ShippingMethod, country: str = "DE") -> Money:
    """What the customer is shown."""
    return orders.quoted(basket, baskets.contents(basket), method, country).total


def place(wanted: dict[Variant, int], customer: Customer = CUSTOMER) -> Order:
    """An order, waiting for payment."""
    method, basket = make_ways(), fill(wanted)
    total = total_of(basket, method, customer.address.country)
    return orders.place(basket=basket, customer=customer, method=method, expected=total)
