"""What a site of its own has in it: somebody at the desk, and something to look at."""

from accounts.models import User
from reservations import services as reservations
from stock import services as stock

PASSWORD = "correct horse battery"


def build() -> None:
    """Three products, movements, a reservation, and an administrator."""
    User.objects.create_superuser("admin@example.org", PASSWORD)
    for sku, name in (("TEA-GREEN-100", "Green tea, 100 g"), ("TEA-BLACK-100", "Black tea, 100 g"), ("CUP", "A cup")):
        product = stock.create(sku=sku, name=name, by="site")
        stock.move(product_id=product.pk, kind="receive", quantity=12, by="site")
        reservations.hold(product_id=product.pk, quantity=2, expires_in=600_000, by="site")
