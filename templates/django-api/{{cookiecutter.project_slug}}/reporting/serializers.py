"""What a report is in JSON."""

from typing import Any

from config.api import instant
from config.values import Count, Id, Instant, Strict, value
from reporting.models import Report, State

StateValue = value("ReportState", type="string", enum=[each.value for each in State])
MaybeInstant = value("MaybeInstant", type=["string", "null"], format="date-time")
Result = value(
    "Result",
    type=["object", "null"],
    additionalProperties=False,
    required=["products", "on_hand", "reserved", "differing"],
    properties={
        "products": Count.schema,
        "on_hand": Count.schema,
        "reserved": Count.schema,
        "differing": {"type": "array", "items": Id.schema},
    },
)


class ReportRead(Strict):
    """A report, and its result when it is done."""

    id = Id()
    state = StateValue()
    created_at = Instant()
    finished_at = MaybeInstant()
    result = Result()


def report_json(report: Report) -> dict[str, Any]:
    """A report as it is sent."""
    return {
        "id": report.pk,
        "state": report.state,
        "created_at": instant(report.created_at),
        "finished_at": report.finished_at and instant(report.finished_at),
        "result": report.result,
    }
