"""The audit trail: written in the transaction of what it is about, so that there is neither without the other."""

from typing import Any

from audit.models import Entry
from config.logging import request_id
from config.via import via


def record(*, by: str, action: str, about: str, **detail: Any) -> None:
    """Somebody does something, now."""
    Entry.objects.create(
        principal=by, via=via.get(), action=action, about=about, detail=detail, request_id=request_id.get() or ""
    )
