"""What is said over HTTP about people."""

import uuid
from typing import Annotated

from pydantic import StringConstraints

from app.accounts.models import LONGEST_NAME
from app.schemas import WITHOUT_NUL, FromRow, Strict

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=LONGEST_NAME
    ),
]
Password = Annotated[str, StringConstraints(min_length=12, max_length=256)]


class SignIn(Strict):
    name: Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=WITHOUT_NUL)]
    password: Annotated[str, StringConstraints(max_length=256)]


class Person(FromRow):
    """Somebody, as others see them."""

    id: uuid.UUID
    name: str
