"""What providers are asked to do, after it was written down. By the same key it can be asked again and happens once."""

import logging
from datetime import timedelta

from django.db import transaction
from django.tasks import task
from django.utils import timezone

from payments import services
from payments.errors import RefusedError, UnreachableError
from payments.models import Payment, Refund
from payments.providers import provider

logger = logging.getLogger("payments")
LEFT_AFTER = timedelta(minutes=1)


@task
def carry_out(refund: int) -> None:
    """Give back what was promised."""
    promised = Refund.objects.select_related("payment__order", "by").get(pk=refund)
    if promised.status != Refund.Status.PENDING:
        return
    payment = promised.payment
    try:
        reference = provider(payment.provider).refund(payment.reference, amount=promised.money, key=str(promised.key))
    except RefusedError as error:
        services.refused(promised, why=str(error))
    except UnreachableError as error:
        logger.warning("refund %s is still to be given: %s", promised.key, error)
    else:
        services.refunded(promised, reference=reference)


@task
def void(payment: int) -> None:
    """Let go what is held on a card, or what nobody has paid yet. Raises PaymentError; then it is tried again."""
    found = Payment.objects.get(pk=payment)
    if not found.to_void:
        return
    try:
        facts = provider(found.provider).cancel(found.reference, key=f"void-{found.pk}")
    except RefusedError:
        facts = provider(found.provider).look(found.reference)  # it was paid in this moment, or is cancelled already
    with transaction.atomic():
        services.learn(found.provider, facts)
        Payment.objects.filter(pk=found.pk).update(to_void=False)


def do_left() -> int:
    """Do what nobody has done: its task was lost with a process, or the provider did not answer."""
    before = timezone.now() - LEFT_AFTER
    refunds = list(Refund.objects.filter(status=Refund.Status.PENDING, at__lt=before).values_list("pk", flat=True))
    voids = list(Payment.objects.filter(to_void=True, started_at__lt=before).values_list("pk", flat=True))
    done = 0
    for task_, about in [(carry_out, pk) for pk in refunds] + [(void, pk) for pk in voids]:
        try:
            task_.call(about)
        except Exception:  # one that cannot be done must not keep the others from it
            logger.exception("%s of %s could not be done", task_.name, about)
        else:
            done += 1
    return done
