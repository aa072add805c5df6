"""Who signs in takes along what is in the basket."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from accounts.models import User
from basket.cookie import KEY
from basket.services import merge


def take_along(request: HttpRequest, user: User, **_: Any) -> None:
    if token := request.session.pop(KEY, ""):
        merge(token=token, user=user)


user_logged_in.connect(take_along)
