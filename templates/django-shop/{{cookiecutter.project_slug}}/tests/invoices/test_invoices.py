"""Invoices: one for each order, without a gap, and what is on them."""

import io
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader
from pytest_django.fixtures import Settings

from catalogue.models import Variant
from invoices import services
from invoices.models import Invoice
from orders import services as orders
from orders.models import Order, ShippingMethod
from orders.services import Address, Customer
from payments import services as payments
from payments.models import Payment, Refund
from payments.providers.fake import FakeProvider
from payments.tasks import carry_out
from tests.conftest import Commits, Staff
from tests.shelf import CUSTOMER, make_variant, make_ways, place
from tests.together import together

pytestmark = pytest.mark.django_db


def paid(wanted: dict[Variant, int], customer: Customer = CUSTOMER) -> Order:
    order = place(wanted, customer)
    payment = payments.start(order)
    FakeProvider().pay(payment.reference, "works")
    payments.look(payment)
    return order


def words(invoice: Invoice) -> str:
    """What is written on it."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(invoice.pdf))).pages)


def test_who_has_paid_gets_an_invoice_once(variant: Variant, commits: Commits, settings: Settings) -> None:
    settings.INVOICE_FROM = "Harbour & Moor\nVAT DE123456789"
    with commits():
        order = place({variant: 3})
    assert not Invoice.objects.exists()
    with commits():
        payment = payments.start(order)
        FakeProvider().pay(payment.reference, "works")
        payments.look(payment)
    invoice = Invoice.objects.get()
    assert str(invoice) == f"{timezone.localtime().year}-00001"
    text = words(invoice)
    for wanted in (
        "VAT DE123456789", "Ada Brandt", "10115 Berlin", order.number, invoice.name, str(variant), "19 %", "€30.00",
        "€4.90", "€34.90", "€5.57",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert invoice.intact
    services.bring_up_to_date(order)
    assert services.issue_left() == 0
    assert Invoice.objects.count() == 1


def test_letters_of_all_customers_are_on_it(variant: Variant) -> None:
    name = "Łukasz Ångström-Παπαδόπουλος Жуков"
    address = Address(name=name, street="Ulica Żółta 1", postcode="00-001", city="Łódź", country="DE")
    services.bring_up_to_date(paid({variant: 1}, Customer(email="l@example.org", address=address)))
    text = words(Invoice.objects.get())
    assert name in text
    assert "Ulica Żółta 1" in text


def test_what_goes_back_gets_a_credit_note(variant: Variant, commits: Commits) -> None:
    with commits():
        order = paid({variant: 1})
    with commits():
        payments.refund(
            payment=order.payments.get(), amount=order.money(Decimal("4.90")), reason="It came late.", by=None
        )
    invoice, note = Invoice.objects.order_by("number")
    assert note.name == f"Credit note {invoice.year}-00002"
    text = words(note)
    assert "It came late." in text
    assert "−€4.90" in text
    assert "−€0.78" in text, "of 14.90 with 2.38 tax"
    assert services.issue_left() == 0


def test_credit_notes_have_together_the_tax_of_the_invoice(variant: Variant) -> None:
    order = paid({variant: 1})
    services.bring_up_to_date(order)
    said = []
    for amount in ("4.97", "4.97", "4.96"):
        given = payments.refund(
            payment=order.payments.get(), amount=order.money(Decimal(amount)), reason="Part.", by=None
        )
        carry_out.call(given.pk)
        services.bring_up_to_date(order)
        said.append(Decimal(re.findall(r"of which tax\s+−€(\d\.\d\d)", words(Invoice.objects.all()[0]))[0]))
    assert sum(said) == order.tax == Decimal("2.38")


def test_what_was_taken_off_is_on_it(variant: Variant) -> None:
    order = place({variant: 1})
    Order.objects.update(discount=5, discount_name="Thanks", total=F("total") - 5)
    order.refresh_from_db()
    payment = payments.start(order)
    FakeProvider().pay(payment.reference, "works")
    payments.look(payment)
    services.bring_up_to_date(order)
    text = words(Invoice.objects.get())
    for wanted in ("Thanks", "−€5.00", "€9.90"):
        assert wanted in text, wanted


def test_what_cost_nothing_has_one_too(variant: Variant) -> None:
    order = place({variant: 1})
    Order.objects.update(discount=F("total"), tax=0, total=0)
    order.refresh_from_db()
    orders.pay(order)
    assert services.issue_left() == 1


def test_a_payment_too_many_goes_back_without_a_credit_note(variant: Variant) -> None:
    order = place({variant: 1})
    first = payments.start(order)
    Payment.objects.update(status="cancelled")
    second = payments.start(order)
    Payment.objects.update(status="started")
    for payment in (first, second):
        FakeProvider().pay(payment.reference, "works")
        payments.look(payment)
    for refund in Refund.objects.all():
        carry_out.call(refund.pk)
    services.bring_up_to_date(order)
    assert Refund.objects.get().status == "done"
    assert [each.refund for each in Invoice.objects.all()] == [None]
    assert services.issue_left() == 0


def test_what_is_only_held_on_a_card_has_no_invoice(variant: Variant, settings: Settings, commits: Commits) -> None:
    settings.PAYMENT_CAPTURE = "manual"
    kept, cancelled = paid({variant: 1}), paid({variant: 1})
    cancelled.refresh_from_db()
    with commits():
        payments.cancel(cancelled, by=None)
    assert services.issue_left() == 0
    payments.capture(kept.payments.get())
    assert services.issue_left() == 1
    assert Invoice.objects.get().order == kept


def test_a_refund_that_the_provider_refused_has_none(variant: Variant) -> None:
    order = paid({variant: 1})
    promised = payments.refund(payment=order.payments.get(), amount=order.money(Decimal(1)), reason="x", by=None)
    Refund.objects.filter(pk=promised.pk).update(status=Refund.Status.FAILED)
    services.bring_up_to_date(order)
    assert Invoice.objects.count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_twenty_at_once_each_has_the_next_number(committed: None) -> None:
    make_ways()
    variant = make_variant(stock_of=100)
    made = [place({variant: 1}) for _ in range(10)]
    started = [payments.start(order) for order in made]

    def pay(number: int) -> None:
        if number < 10:
            FakeProvider().pay(started[number].reference, "works")
            payments.look(started[number])
        services.bring_up_to_date(made[number % 10])

    together(pay, 20)
    services.issue_left()
    assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, 11))


def test_one_that_cannot_be_written_leaves_no_gap_and_is_written_later(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = paid({variant: 1}), paid({variant: 2})

    def broken(name: str, order: Order, *_: object) -> bytes:
        if order == first:
            raise RuntimeError("no letters")
        return b"%PDF"

    with monkeypatch.context() as patched:
        patched.setattr("invoices.services.drawn", broken)
        call_command("housekeeping")
        assert [(each.number, each.order) for each in Invoice.objects.all()] == [(1, second)]
    call_command("housekeeping")
    assert [(each.number, each.order) for each in Invoice.objects.all()] == [(2, first), (1, second)]


def test_each_year_begins_with_one(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    for year in (2026, 2027):
        monkeypatch.setattr(
            "invoices.services.timezone.localtime", lambda year=year: datetime(year, 1, 1, 12, tzinfo=UTC)
        )
        services.bring_up_to_date(paid({variant: 1}))
    assert sorted(map(str, Invoice.objects.all())) == ["2026-00001", "2027-00001"]


def test_an_invoice_is_neither_changed_nor_deleted(variant: Variant, method: ShippingMethod) -> None:
    services.bring_up_to_date(paid({variant: 1}))
    invoice = Invoice.objects.get()
    for do in (invoice.save, invoice.delete):
        with pytest.raises(TypeError):
            do()
    Invoice.objects.update(pdf=b"%PDF-1.4 another amount")
    assert not Invoice.objects.get().intact


def test_it_is_fetched_with_the_address_of_the_order_only(client: Client, variant: Variant) -> None:
    order, other = paid({variant: 1}), paid({variant: 1})
    services.bring_up_to_date(order)
    link = Invoice.objects.get().get_absolute_url()
    assert link in client.get(order.get_absolute_url()).content.decode()
    answer = client.get(link)
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "private" in answer.headers["Cache-Control"]
    assert client.get(link.replace(order.token, other.token)).status_code == 404
    assert client.get(link.replace("-1.pdf", "-2.pdf")).status_code == 404


def test_finance_looks_at_them_and_nobody_writes_one_by_hand(staff: Staff, variant: Variant) -> None:
    services.bring_up_to_date(paid({variant: 1}))
    invoice = Invoice.objects.get()
    finance = staff("Finance")
    assert invoice.name in finance.get("/admin/invoices/invoice/").content.decode()
    assert invoice.sha256 in finance.get(f"/admin/invoices/invoice/{invoice.pk}/change/").content.decode()
    assert finance.get("/admin/invoices/invoice/add/").status_code == 403
    assert staff("Support").get("/admin/invoices/invoice/").status_code == 200
    for role in ("Catalogue", "Fulfilment"):
        assert staff(role).get("/admin/invoices/invoice/").status_code == 403, role
