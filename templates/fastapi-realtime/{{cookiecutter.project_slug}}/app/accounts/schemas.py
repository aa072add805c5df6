"""What is said over HTTP about people."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from app.accounts.models import LONGEST_NAME, Session
from app.schemas import WITHOUT_NUL, Strict

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


class SignedInUser(BaseModel):
    id: uuid.UUID
    name: str


class NewToken(Strict):
    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=WITHOUT_NUL)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class Token(BaseModel):
    id: uuid.UUID
    label: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: Session) -> "Token":
        return cls(id=row.id, label=row.label, created_at=row.created_at, expires_at=row.expires_at)


class CreatedToken(Token):
    secret: str
