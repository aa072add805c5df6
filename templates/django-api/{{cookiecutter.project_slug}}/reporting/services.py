"""A job that is done once, whoever is killed: a worker claims its row for a while, and the first result is kept."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from config.problems import NotFound
from reporting.models import Report, State
from stock.models import Product
from stock.services import differences, joined

logger = logging.getLogger(__name__)
ATTEMPTS = 5
KEPT = timedelta(days=30)


@joined
def order(*, by: str) -> Report:
    """A report that is to be made. There is no second place where it would have to be put: the row is the queue."""
    return Report.objects.create(holder=by, created_at=timezone.now())


def mine(report_id: int, holder: str) -> Report:
    """A report of theirs; for all others it does not exist. Raises NotFound."""
    report = Report.objects.filter(pk=report_id, holder=holder).first()
    if report is None:
        raise NotFound
    return report


@transaction.atomic
def claim() -> Report | None:
    """The next that is queued, or whose worker has died, for as long as the lease lasts."""
    now = timezone.now()
    due = Report.objects.filter(Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lte=now))
    # Of several workers each takes another one, and none waits.
    report = due.select_for_update(skip_locked=True).order_by("pk").first()
    if report is None:
        return None
    report.attempt += 1
    report.state, report.lease_until = State.RUNNING, now + settings.REPORT_LEASE
    if report.attempt > ATTEMPTS:
        report.state, report.finished_at = State.FAILED, now
    report.save(update_fields=["attempt", "state", "lease_until", "finished_at"])
    return report


def finish(report: Report, state: State, result: dict[str, Any] | None) -> bool:
    """Write down how it ended, if nobody has yet; whether that was so.

    Also when its lease is over: one that takes longer would otherwise be begun again and again, and never end.
    """
    running = Report.objects.filter(pk=report.pk, state=State.RUNNING)
    return bool(running.update(state=state, result=result, finished_at=timezone.now()))


def work(make: Callable[[], dict[str, Any]]) -> bool:
    """Make the next report; whether there was one."""
    report = claim()
    if report is None:
        return False
    if report.state == State.FAILED:
        logger.error("Report %s was begun %s times, and nobody lived to finish it", report.pk, ATTEMPTS)
        return True
    try:
        finish(report, State.DONE, make())
    except OperationalError:
        raise  # the database is not there: neither is the place where it could be written
    except Exception:
        logger.exception("Report %s broke", report.pk)
        finish(report, State.FAILED, None)
    return True


def added_up() -> dict[str, Any]:
    """The whole stock. Two questions, and no transaction, which on SQLite would stop whoever writes."""
    sums = Product.objects.now().aggregate(
        products=Count("pk"), on_hand=Sum("on_hand"), reserved=Sum(F("reserved") - F("overdue"))
    )
    return {name: int(value or 0) for name, value in sums.items()} | {"differing": sorted(differences())}


def forget_old() -> int:
    """Delete reports that were ordered a month ago; how many there were."""
    return Report.objects.filter(created_at__lte=timezone.now() - KEPT).delete()[0]
