"""Where one pays, and where providers tell what became of it."""

import logging
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from orders.errors import OrderError, WrongStateError
from orders.models import Order
from orders.states import Status as OrderStatus
from payments import services
from payments.errors import ForgedError, PaymentError
from payments.models import Payment
from payments.providers import PROVIDERS, provider
from payments.providers.fake import CARDS, FakeProvider
from payments.providers.intents import sign

logger = logging.getLogger("payments")
LONGEST = 256 * 1024  # bytes of a message


@require_safe
@never_cache
@csp_override(settings.PAYMENT_CSP)
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """The page on which an order is paid."""
    order = get_object_or_404(Order, token=token)
    if order.status != OrderStatus.PENDING:
        return redirect(order)
    try:
        payment = services.start(order)
        template, about = provider(payment.provider).page(payment.reference)
    except PaymentError as error:
        logger.warning("order %s cannot be paid: %s", order, error)  # their words are for us
        context = {"order": order, "problem": "Our bank does not answer. Nothing was paid; try again in a minute."}
        return render(request, "payments/pay.html", context, status=HTTPStatus.BAD_GATEWAY)
    return render(request, template, {"order": order, **about})


@require_safe
@never_cache
def back(request: HttpRequest, token: str) -> HttpResponse:
    """Where a provider sends the customer to afterwards. Its message may come later: so it is asked."""
    order = get_object_or_404(Order, token=token)
    try:
        for payment in order.payments.filter(status="started"):
            services.look(payment)
    except PaymentError:
        messages.info(request, "Your bank has not answered yet. You get a mail as soon as it does.")
    return redirect(order)


@require_POST
@never_cache
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """The customer does not want it any more, and has not paid yet."""
    order = get_object_or_404(Order, token=token)
    try:
        if order.status != OrderStatus.PENDING:
            raise WrongStateError(f"It is {order.get_status_display()}: write to us, if that is not as it should be.")
        services.cancel(order, by=None, note="by the customer")
    except OrderError as error:
        messages.error(request, str(error))
    return redirect(order)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, name: str) -> HttpResponse:
    """A message of a provider: 200 when we have it, 400 when it is not theirs, and then nothing is stored."""
    if name not in PROVIDERS or (name == "fake" and settings.PRODUCTION):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if len(request.body) > LONGEST:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        services.receive(name=name, body=request.body, signature=request.META.get("HTTP_STRIPE_SIGNATURE", ""))
    except (ForgedError, PaymentError) as error:
        return HttpResponse(str(error), status=HTTPStatus.BAD_REQUEST, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


@require_POST
@never_cache
def fake(request: HttpRequest, reference: str) -> HttpResponse:
    """What a customer's bank would do, for development: 404 in production."""
    payment = get_object_or_404(Payment.objects.select_related("order"), provider="fake", reference=reference)
    bank = provider("fake")
    if settings.PRODUCTION or not isinstance(bank, FakeProvider):
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    card = request.POST.get("card", "")
    if card not in CARDS:
        return redirect("payments:pay", payment.order.token)
    state, message = bank.pay(reference, card)
    if message:
        services.receive(name="fake", body=message, signature=sign(message))
    if state == "requires_action":
        return render(request, "payments/fake_bank.html", {"order": payment.order, "reference": reference})
    if state == "requires_payment_method":
        messages.error(request, "Your card was declined. Try another one.")
        return redirect("payments:pay", payment.order.token)
    return redirect(payment.order)
