"""What would make tokens anybody's, for `check --deploy` and before `serve`."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

LEAST = 50  # characters


@register(Tags.security, deploy=True)
def long_enough(**_: Any) -> list[CheckMessage]:
    """Whoever has one token can try at home which key it was signed with: short ones are found."""
    secrets = {"SECRET_KEY": [settings.SECRET_KEY], "SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS}
    return [
        Error(
            f"{name} is too short: tokens are signed with it.", hint=f"At least {LEAST} characters.", id="accounts.E001"
        )
        for name, each in secrets.items()
        if any(len(secret) < LEAST for secret in each)
    ]
