"""What a report is in JSON."""

from config.values import Count, Id, Instant, Strict, value
from reporting.models import State

StateValue = value("ReportState", type="string", enum=State.values)
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


class MaybeInstant(Instant):
    """An instant, or none yet."""

    schema = Instant.schema | {"type": ["string", "null"]}


class ReportRead(Strict):
    """A report, and its result when it is done."""

    id = Id()
    state = StateValue()
    created_at = Instant()
    finished_at = MaybeInstant()
    result = Result()
