"""What is wrong with the settings, for `check --deploy` and before `serve`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register


@register(Tags.security, deploy=True)
def needed(**_: Any) -> list[CheckMessage]:
    """What production cannot do without."""
    faults: list[CheckMessage] = []
    if not settings.SECRET_KEY_IS_SET:
        faults.append(Error("SECRET_KEY is not set.", hint="Make one: see .env.example.", id="config.E001"))
    if not settings.ALLOWED_HOSTS:
        faults.append(Error("ALLOWED_HOSTS is not set.", hint="Name the hosts that people type.", id="config.E002"))
    return faults


@register(Tags.caches, deploy=True)
def several_hosts(**_: Any) -> list[CheckMessage]:
    """That kept pages are told of changes by a file, which another host does not see."""
    database = settings.DATABASES["default"]
    if not settings.PAGE_CACHE or settings.VALKEY_URL or not database["ENGINE"].endswith("postgresql"):
        return []
    hint = "Do several serve this site? Set VALKEY_URL, or they show each other's changes late. With one, all is well."
    return [Info("Only this host learns that something was published.", hint=hint, id="config.I001")]
