"""What every provider must do, whichever it is: the same tests for the fake one and for Stripe.

Stripe's part runs against whatever speaks its API at STRIPE_API, such as localstripe, which has a list of what it
cannot do: CANNOT.
"""

import json
import os
import queue
import threading
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
import stripe
from django.conf import settings as configured
from pytest_django.fixtures import Settings

from config.money import Money
from payments.errors import ForgedError, PaymentError, RefusedError
from payments.providers import PaymentProvider, provider
from payments.providers.fake import FakeProvider
from payments.providers.intents import sign

pytestmark = pytest.mark.django_db
CANNOT = {"remember keys", "refuse to give back too much", "take a second card"}
NAMES = ["fake", *(["stripe"] if configured.STRIPE_API else [])]


class FakeBank:
    """What customers and their banks do, with the provider for development."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[bytes, str]] = queue.Queue()

    def pay(self, reference: str, card: str) -> None:
        _, message = FakeProvider().pay(reference, card)
        if message:
            self.told.put((message, sign(message)))

    def answer(self, reference: str, *, yes: bool) -> None:
        self.pay(reference, "works" if yes else "declined")


class Receiver(BaseHTTPRequestHandler):
    """Where a provider's messages arrive."""

    told: ClassVar[queue.Queue[tuple[bytes, str]]] = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.put((body, self.headers["Stripe-Signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not on the screen."""


class StandIn:
    """The same, with what speaks Stripe's API."""

    CARDS: ClassVar = {"works": "4242424242424242", "declined": "4000000000000341", "asks": "4000000000003220"}

    def __init__(self, receiver: ThreadingHTTPServer) -> None:
        self.told = Receiver.told
        self.client = stripe.StripeClient("sk_test", base_addresses={"api": configured.STRIPE_API})
        where = {"url": f"http://127.0.0.1:{receiver.server_port}/", "secret": configured.WEBHOOK_SECRET}
        self._post("/_config/webhooks/tests", json.dumps(where).encode(), "application/json")

    def pay(self, reference: str, card: str) -> None:
        about: Any = {"number": self.CARDS[card], "exp_month": 12, "exp_year": 2040, "cvc": "123"}
        method = self.client.v1.payment_methods.create({"type": "card", "card": about})
        self.client.v1.payment_intents.update(reference, {"payment_method": method.id})
        try:
            self.client.v1.payment_intents.confirm(reference)
        except stripe.CardError:
            assert card == "declined"

    def answer(self, reference: str, *, yes: bool) -> None:
        intent = self.client.v1.payment_intents.retrieve(reference)
        typed = urlencode({"client_secret": intent.client_secret, "success": str(yes).lower()}).encode()
        self._post(f"/v1/payment_intents/{reference}/_authenticate", typed, "application/x-www-form-urlencoded")

    def _post(self, path: str, body: bytes, kind: str) -> None:
        headers = {"Content-Type": kind, "Authorization": "Bearer sk_test"}
        urllib.request.urlopen(urllib.request.Request(configured.STRIPE_API + path, body, headers), timeout=10).close()


@pytest.fixture(scope="session")
def receiver() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(params=NAMES)
def shop(request: pytest.FixtureRequest) -> PaymentProvider:
    return provider(request.param)


@pytest.fixture
def bank(shop: PaymentProvider, receiver: ThreadingHTTPServer) -> FakeBank | StandIn:
    return FakeBank() if shop.name == "fake" else StandIn(receiver)


type Bank = FakeBank | StandIn


def unless(shop: PaymentProvider, what: str) -> None:
    """Ends a test that the stand-in is known to fail."""
    assert what in CANNOT
    if shop.name == "stripe" and "127.0.0.1" in configured.STRIPE_API:
        pytest.xfail(f"the stand-in does not {what}")


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def begin(shop: PaymentProvider, amount: Money | None = None) -> str:
    return shop.start(amount=amount or euro("24.90"), order="ABC", key=token_hex(8))


def test_who_has_not_paid_has_not_paid(shop: PaymentProvider, bank: Bank) -> None:
    facts = shop.look(begin(shop))
    assert (facts.authorised, facts.captured, facts.refunded) == (euro("0"), euro("0"), euro("0"))
    assert not facts.cancelled
    assert not facts.declined


def test_a_card_that_works_pays(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "works")
    facts = shop.look(reference)
    assert (facts.reference, facts.authorised, facts.captured) == (reference, euro("24.90"), euro("24.90"))


@pytest.mark.parametrize(("amount", "currency"), [("1234", "JPY"), ("1.234", "KWD"), ("0.99", "USD")])
def test_of_every_currency_the_same_amount_comes_back(
    shop: PaymentProvider, bank: Bank, amount: str, currency: str
) -> None:
    money = Money(Decimal(amount), currency)
    reference = begin(shop, money)
    bank.pay(reference, "works")
    assert shop.look(reference).captured == money


def test_a_card_that_is_refused_does_not_pay_and_another_one_may(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "declined")
    facts = shop.look(reference)
    assert facts.captured == euro("0")
    assert facts.declined == "Your card was declined."
    unless(shop, "take a second card")
    bank.pay(reference, "works")
    assert shop.look(reference).captured == euro("24.90")


@pytest.mark.parametrize("yes", [True, False])
def test_what_the_bank_asks_is_answered(shop: PaymentProvider, bank: Bank, yes: bool) -> None:
    reference = begin(shop)
    bank.pay(reference, "asks")
    assert shop.look(reference).captured == euro("0")
    bank.answer(reference, yes=yes)
    assert shop.look(reference).captured == (euro("24.90") if yes else euro("0"))


def test_what_is_held_is_received_by_us(shop: PaymentProvider, bank: Bank, settings: Settings) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    reference = begin(shop)
    bank.pay(reference, "works")
    facts = shop.look(reference)
    assert (facts.authorised, facts.captured) == (euro("24.90"), euro("0"))
    assert shop.capture(reference, amount=euro("24.90"), key="c").captured == euro("24.90")
    assert shop.look(reference).captured == euro("24.90")
    unless(shop, "remember keys")
    assert shop.capture(reference, amount=euro("24.90"), key="c").captured == euro("24.90")


def test_what_is_held_is_let_go(shop: PaymentProvider, bank: Bank, settings: Settings) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    reference = begin(shop)
    bank.pay(reference, "works")
    assert shop.cancel(reference, key="v").cancelled
    facts = shop.look(reference)
    assert (facts.cancelled, facts.captured) == (True, euro("0"))


def test_what_was_paid_is_not_cancelled(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "works")
    with pytest.raises(RefusedError):
        shop.cancel(reference, key="v")


def test_a_refund_that_is_asked_for_twice_is_given_once(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "works")
    key = token_hex(8)
    given = [shop.refund(reference, amount=euro("4.90"), key=key) for _ in range(3)]
    assert len({*given}) == 1
    assert shop.look(reference).refunded == euro("4.90")
    assert shop.refund(reference, amount=euro("20"), key=token_hex(8)) not in given
    assert shop.look(reference).refunded == euro("24.90")
    assert shop.refund(reference, amount=euro("4.90"), key=key) in given  # nothing is left, and nothing more is asked
    unless(shop, "refuse to give back too much")
    with pytest.raises(RefusedError):
        shop.refund(reference, amount=euro("0.01"), key=token_hex(8))


def test_a_payment_that_is_begun_twice_is_one(shop: PaymentProvider, bank: Bank) -> None:
    key = token_hex(8)
    unless(shop, "remember keys")
    assert len({shop.start(amount=euro("1"), order="A", key=key) for _ in range(3)}) == 1


def test_what_is_not_there_is_refused(shop: PaymentProvider, bank: Bank) -> None:
    for ask in (
        lambda: shop.look("pi_none"),
        lambda: shop.capture("pi_none", amount=euro("1"), key="c"),
        lambda: shop.cancel("pi_none", key="v"),
        lambda: shop.refund("pi_none", amount=euro("1"), key="r"),
    ):
        with pytest.raises(RefusedError):
            ask()


def heard(bank: Bank, reference: str, kind: str) -> tuple[bytes, str]:
    """The message of that kind about a payment. Others are left out."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        body, signature = bank.told.get(timeout=20)
        event = json.loads(body)
        if event["type"] == kind and event["data"]["object"]["id"] == reference:
            return body, signature
    raise AssertionError(f"no {kind}")


def test_it_tells_what_has_happened_and_signs_it(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "works")
    body, signature = heard(bank, reference, "payment_intent.succeeded")
    message = shop.read(body, signature)
    assert message.facts
    assert (message.facts.reference, message.facts.captured) == (reference, euro("24.90"))
    assert shop.read(body, None) == message
    for forged in (signature.replace("v1=", "v1=0"), "", f"t={int(time.time())},v1={os.urandom(32).hex()}"):
        with pytest.raises(ForgedError):
            shop.read(body, forged)
    with pytest.raises(ForgedError):
        shop.read(body.replace(b"2490", b"9900"), signature)


def test_it_tells_that_a_card_was_refused(shop: PaymentProvider, bank: Bank) -> None:
    reference = begin(shop)
    bank.pay(reference, "declined")
    message = shop.read(*heard(bank, reference, "payment_intent.payment_failed"))
    assert message.facts
    assert message.facts.declined == "Your card was declined."
    assert message.facts.captured == euro("0")


def test_garbage_is_refused(shop: PaymentProvider) -> None:
    with pytest.raises(PaymentError):
        shop.read(b"{", None)
