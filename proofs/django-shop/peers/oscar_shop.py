"""A shop as Oscar's documentation makes one ("Create your shop"), with its own templates: settings, addresses, goods.

`DJANGO_SETTINGS_MODULE=oscar_shop`. `python oscar_shop.py <products>` makes the tables and the products.
"""

import io
import os
import sys
from decimal import Decimal
from pathlib import Path

from oscar.defaults import *  # noqa: F403

FOLDER = Path(os.environ["OSCAR_DATA"])
SECRET_KEY, DEBUG, ALLOWED_HOSTS = "x" * 60, False, ["127.0.0.1"]
ROOT_URLCONF, WSGI_APPLICATION = "oscar_shop_urls", "oscar_shop_wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "oscar.sqlite3",
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
    }
}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.sites", "django.contrib.flatpages",
    "oscar.config.Shop", "oscar.apps.analytics.apps.AnalyticsConfig", "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig", "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig", "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig", "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig", "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig", "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig", "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig", "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig", "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig", "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig", "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "widget_tweaks", "haystack", "treebeard", "sorl.thumbnail", "django_tables2",
]  # fmt: skip
SITE_ID = 1
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.apps.communication.notifications.context_processors.notifications",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["oscar.apps.customer.auth_backends.EmailBackend"]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
STATIC_URL, MEDIA_URL, MEDIA_ROOT = "/static/", "/media/", FOLDER / "media"
OSCAR_DEFAULT_CURRENCY, LANGUAGE_CODE, USE_TZ = "EUR", "en", True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def fill(many: int) -> None:
    """So many products in forty categories, every other one with three variants, a picture each."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.files.base import ContentFile  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from oscar.apps.catalogue.categories import create_from_breadcrumbs  # noqa: PLC0415
    from oscar.core.loading import get_model  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    picture = io.BytesIO()
    Image.new("RGB", (1280, 1280), "#31584f").save(picture, "JPEG")
    kind, _ = get_model("catalogue", "ProductClass").objects.get_or_create(name="Thing")
    partner, _ = get_model("partner", "Partner").objects.get_or_create(name="We")
    shelves = [create_from_breadcrumbs(f"Home > Kind {number}") for number in range(40)]
    product, image = get_model("catalogue", "Product"), get_model("catalogue", "ProductImage")
    stocked = get_model("partner", "StockRecord").objects.create
    for number in range(many):
        several = number % 2
        about = {"title": f"Thing {number}", "description": "Made of clay.", "is_public": True, "product_class": kind}
        made = product.objects.create(slug=f"thing-{number}", structure="parent" if several else "standalone", **about)
        made.categories.add(shelves[number % 40])
        picture.seek(0)
        image(product=made).original.save(f"{number}.jpg", ContentFile(picture.read()), save=True)
        for variant in range(3 if several else 1):
            sold = made
            if several:
                sold = product.objects.create(
                    structure="child",
                    parent=made,
                    title=f"size {variant}",
                    slug=f"thing-{number}-{variant}",
                    is_public=True,
                )
            sku = f"SKU-{number}-{variant}"
            stocked(product=sold, partner=partner, partner_sku=sku, price=Decimal("10.90"), num_in_stock=20)
    alone, several = product.objects.get(slug="thing-8"), product.objects.get(slug="thing-7")
    print(alone.get_absolute_url(), several.get_absolute_url(), shelves[7].get_absolute_url())


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "oscar_shop"
    fill(int(sys.argv[1]))
