"""The shop of the demo."""

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from catalogue.models import Product
from orders.models import Order
from orders.states import Status
from stock.services import differences
from tests.conftest import Commits


@pytest.mark.django_db
def test_the_demo_is_the_same_when_loaded_twice(client: Client, settings: Settings, commits: Commits) -> None:
    with commits():
        call_command("load_demo", verbosity=0)
    assert mail.outbox == []
    before = [*Product.objects.values_list("pk", "name"), *Order.objects.values_list("pk", "total")]
    call_command("load_demo", verbosity=0)
    assert before == [*Product.objects.values_list("pk", "name"), *Order.objects.values_list("pk", "total")]
    assert Product.objects.count() == 60
    assert {*Order.objects.values_list("status", flat=True)} == {*Status}
    assert differences() == {}
    call_command("reconcile")
    for address in ("/", "/shop/kitchen/", "/products/moor-cup/"):
        assert client.get(address).status_code == 200, address
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not for production"):
        call_command("load_demo")
