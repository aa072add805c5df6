"""The same stock the way a tutorial does it: ModelViewSet, ModelSerializer, a cursor, a filter, the tokens of PyJWT.

One file with its own settings, run as `DJANGO_SETTINGS_MODULE=plain`. The middleware is that of `startproject`. There
are no ETags, no allowance, no idempotency keys, nothing expires. `python plain.py <products>` makes tables and goods.
"""

import os
import sys
from typing import ClassVar

import dj_database_url
import django
from django.conf import settings

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

if not settings.configured:
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=600)},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django_filters",
            "rest_framework",
        ],
        MIDDLEWARE=MIDDLEWARE,
        ROOT_URLCONF="plain",
        USE_TZ=True,
        REST_FRAMEWORK={
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
    )
    django.setup()
    # The classes below are found by their names, whichever way this file was started.
    sys.modules.setdefault("plain", sys.modules[__name__])

import jwt  # noqa: E402  Django has to be set up before there can be a model
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import F  # noqa: E402
from rest_framework import mixins, viewsets  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed, ValidationError  # noqa: E402
from rest_framework.pagination import CursorPagination  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.routers import SimpleRouter  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402


class Product(models.Model):
    sku = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    on_hand = models.PositiveBigIntegerField(default=0)
    reserved = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "auth"
        db_table = "plain_product"

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class Reservation(models.Model):
    product = models.ForeignKey(Product, models.PROTECT)
    holder = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "auth"
        db_table = "plain_reservation"


class Somebody:
    is_authenticated = True

    def __init__(self, subject: str) -> None:
        self.subject = subject


class Token(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Somebody, None]:
        try:
            token = request.META["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
            claims = jwt.decode(token, os.environ["SECRET_KEY"], algorithms=["HS256"])
        except (KeyError, jwt.InvalidTokenError) as error:
            raise AuthenticationFailed from error
        return Somebody(claims["sub"]), None


class Pages(CursorPagination):
    page_size = 50
    page_size_query_param = "limit"
    ordering = "-id"


class ProductSerializer(ModelSerializer):
    class Meta:
        model = Product
        fields: ClassVar = ["id", "sku", "name", "on_hand", "reserved", "available", "created_at", "updated_at"]
        read_only_fields: ClassVar = ["on_hand", "reserved"]


class ReservationSerializer(ModelSerializer):
    class Meta:
        model = Reservation
        fields: ClassVar = ["id", "product", "quantity", "expires_at", "created_at"]


class Products(viewsets.ModelViewSet):
    authentication_classes: ClassVar = [Token]
    pagination_class = Pages
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_fields: ClassVar = ["sku"]


class Reservations(mixins.CreateModelMixin, viewsets.GenericViewSet):
    authentication_classes: ClassVar = [Token]
    queryset = Reservation.objects.all()
    serializer_class = ReservationSerializer

    def perform_create(self, serializer: ModelSerializer) -> None:
        with transaction.atomic():
            product = Product.objects.select_for_update().get(pk=serializer.validated_data["product"].pk)
            if product.available < serializer.validated_data["quantity"]:
                raise ValidationError("There is not enough.")
            Product.objects.filter(pk=product.pk).update(reserved=F("reserved") + serializer.validated_data["quantity"])
            serializer.save(holder=self.request.user.subject)


router = SimpleRouter(trailing_slash=False)
router.register("api/v1/products", Products)
router.register("api/v1/reservations", Reservations)
urlpatterns = router.urls
application = get_wsgi_application()


def build(many: int) -> None:
    """Tables, and so many products of which there are enough."""
    with connection.schema_editor() as editor:
        editor.create_model(Product)
        editor.create_model(Reservation)
    Product.objects.bulk_create(
        Product(sku=f"SKU-{number}", name=f"Thing {number}", on_hand=10**9) for number in range(many)
    )


if __name__ == "__main__":
    build(int(sys.argv[1]))
