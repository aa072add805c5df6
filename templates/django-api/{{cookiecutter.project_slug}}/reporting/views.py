"""Reports over HTTP: ordered, and asked for until they are there."""

from django.urls import reverse

from accounts.callers import READ
from config.api import LOCATION, Answer, View, answer, operation
from config.values import Id
from reporting import services
from reporting.models import State
from reporting.serializers import ReportRead

ASK_AGAIN = "1"  # seconds


class Reports(View):
    """To order one."""

    tag = "reports"

    @operation(
        "orderReport", "Have the whole stock added up, and compared with its movements. There is no body.",
        scope=READ, gives=ReportRead, status=202, once=True, tagged=False,
        headers={"Location": LOCATION, "Retry-After": {"type": "string"}},
    )  # fmt: skip
    def post(self) -> Answer:
        report = services.order(by=self.caller.subject)
        where = reverse("report", args=[report.pk])
        return answer(ReportRead(report).data, 202, tagged=False, Location=where, Retry_After=ASK_AGAIN)


class OneReport(View):
    """To have it."""

    tag = "reports"
    named = {"report_id": Id}

    @operation(
        "readReport", "The caller's own report. With `Retry-After` as long as it is not made.", scope=READ,
        gives=ReportRead,
    )  # fmt: skip
    def get(self, report_id: int) -> Answer:
        report = services.mine(report_id, self.caller.subject)
        made = answer(ReportRead(report).data)
        if report.state in (State.QUEUED, State.RUNNING):
            made.headers["Retry-After"] = ASK_AGAIN
        return made
