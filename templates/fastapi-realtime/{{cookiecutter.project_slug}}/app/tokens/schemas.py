"""What is said over HTTP about tokens."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.schemas import FromRow, Strict, words


class NewToken(Strict):
    label: Annotated[str, words(100)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class Token(FromRow):
    id: uuid.UUID
    label: str
    created_at: datetime
    expires_at: datetime


class CreatedToken(Token):
    secret: str
