"""A shop for processes of its own: something on the shelves, and people."""

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from PIL import Image

from accounts.models import User
from catalogue import images
from catalogue.models import Category, Product, ProductImage, Variant
from stock import services as stock
from stock.models import Reason
from tests.shelf import PASSWORD, make_ways

TEXT = "Thrown by hand, and glazed twice."


def build() -> None:
    """Two things with pictures, and somebody of each kind."""
    make_ways()
    shelf = Category.objects.create(name="Cups", slug="cups")
    for number, name in enumerate(("Moor cup", "Slate cup")):
        product = Product.objects.create(
            name=name, slug=name.lower().replace(" ", "-"), category=shelf, description=TEXT
        )
        for label, price in (("white", "14.90"), ("blue", "16.90")):
            sku = f"{product.slug}-{label}".upper()
            variant = Variant.objects.create(product=product, sku=sku, label=label, price=price)
            stock.correct(variant=variant.pk, delta=20, reason=Reason.RECEIVED, by=None)
        picture = Image.new("RGB", (900, 900), (40 + 90 * number, 110, 140))
        image = ProductImage(product=product, alt=f"A {name.lower()}", width=picture.width, height=picture.height)
        images.keep(picture, image.name)
        image.save()
    for name, role in (("ada", ""), ("packer", "Fulfilment"), ("finance", "Finance"), ("catalogue", "Catalogue")):
        person = User.objects.create_user(f"{name}@example.org", PASSWORD, is_staff=bool(role))
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        if role:
            person.groups.add(Group.objects.get(name=role))
