"""What is wrong with the settings, for `check --deploy` and before `serve`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def needed(**_: Any) -> list[CheckMessage]:
    """What production cannot do without."""
    faults: list[CheckMessage] = []
    if not settings.SECRET_KEY_IS_SET:
        faults.append(Error("SECRET_KEY is not set.", hint="Make one: see .env.example.", id="config.E001"))
    if not settings.ALLOWED_HOSTS:
        faults.append(Error("ALLOWED_HOSTS is not set.", hint="Name the hosts that people type.", id="config.E002"))
    return faults
