"""Mail about orders. What is to be sent is a row, written together with what happened; a worker empties the pile."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Q
from django.tasks import task
from django.template.loader import render_to_string
from django.utils import timezone

from orders.models import Mail

logger = logging.getLogger("orders")
CLAIM = timedelta(minutes=5)  # longer than any mail server takes
LONGEST_PAUSE = timedelta(hours=6)
LEFT_AFTER = timedelta(minutes=1)


@task
def send(event: int) -> None:
    """Send the mail about an event, unless it was sent, or somebody is sending it.

    Killed after the mail server has taken it and before we have written that down, it is sent once more by the next
    one, with the same Message-ID, by which mail programs know it again. None is lost.
    """
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    mine = Mail.objects.filter(free, pk=event, sent_at=None)
    if not mine.update(claimed_until=now + CLAIM, attempts=F("attempts") + 1):
        return
    mail = Mail.objects.select_related("event__order").get(pk=event)
    # Who is not there is asked again later and later, and never given up.
    Mail.objects.filter(pk=event).update(claimed_until=now + min(CLAIM * 2 ** min(mail.attempts - 1, 9), LONGEST_PAUSE))
    try:
        message(mail).send()
    except Exception as error:  # one that cannot be sent must not keep the others from it
        # Again after the claim: `housekeeping` sees to it.
        logger.warning("mail %s could not be sent: %s", mail.message_id, error)
        Mail.objects.filter(pk=event).update(error=f"{type(error).__name__}: {error}"[:300])
        return
    Mail.objects.filter(pk=event).update(sent_at=timezone.now(), error="")


def message(mail: Mail) -> EmailMessage:
    """What the customer reads: `templates/mail/<kind>.txt`, whose first line is the subject."""
    event, order = mail.event, mail.event.order
    about = {
        "event": event,
        "order": order,
        "lines": order.lines.all(),
        "url": settings.BASE_URL + order.get_absolute_url(),
        "shop": settings.SHOP_NAME,
    }
    subject, _, text = render_to_string(f"mail/{event.kind}.txt", about).strip().partition("\n")
    identity = {"Message-ID": f"<{mail.message_id}@{settings.MAIL_HOST}>"}
    return EmailMessage(subject, text.strip() + "\n", to=[order.email], headers=identity)


def send_left() -> int:
    """Send what nobody has sent: its task was lost with a process, or the mail server did not answer."""
    now = timezone.now()
    free = Q(claimed_until=None, event__at__lt=now - LEFT_AFTER) | Q(claimed_until__lt=now)
    left = list(Mail.objects.filter(free, sent_at=None).values_list("pk", flat=True))
    for event in left:
        send.call(event)
    return len(left)
