"""Django, as small as it goes: a word, a row, a wait. `application` is WSGI, `asgi` is ASGI."""

import asyncio
import os
import time
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.http import HttpRequest, JsonResponse
from django.urls import path

# The seven that `startproject` gives; without any, where BARE is set.
USUAL = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
database = urlsplit(os.environ.get("DATABASE_URL", "postgresql://nobody@127.0.0.1/none"))
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.urandom(32).hex(),
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[] if os.environ.get("BARE") else USUAL,
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path.strip("/"),
            "USER": database.username,
            "PASSWORD": database.password,
            "HOST": database.hostname,
            "PORT": database.port,
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()


class Item(models.Model):
    """A row; its table is made by run.py."""

    name = models.TextField()
    price = models.IntegerField()

    class Meta:
        app_label = "surprises"
        db_table = "item"
        managed = False


def hello(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"hello": "world"})


async def hello_async(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"hello": "world"})


def read(_request: HttpRequest, identity: int) -> JsonResponse:
    item = Item.objects.get(pk=identity)
    return JsonResponse({"id": item.pk, "name": item.name, "price": item.price})


def wait(_request: HttpRequest) -> JsonResponse:
    time.sleep(0.1)
    return JsonResponse({"waited": True})


async def wait_async(_request: HttpRequest) -> JsonResponse:
    await asyncio.sleep(0.1)
    return JsonResponse({"waited": True})


async def wait_blocking(_request: HttpRequest) -> JsonResponse:
    time.sleep(0.1)  # the one wrong line
    return JsonResponse({"waited": True})


urlpatterns = [
    path("hello", hello),
    path("hello-async", hello_async),
    path("read/<int:identity>", read),
    path("wait", wait),
    path("wait-async", wait_async),
    path("wait-blocking", wait_blocking),
]
application = get_wsgi_application()
asgi = get_asgi_application()
