"""What is said over HTTP about tokens."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.schemas import WITHOUT_NUL, Strict


class NewToken(Strict):
    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=WITHOUT_NUL)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class Token(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    label: str
    created_at: datetime
    expires_at: datetime


class CreatedToken(Token):
    secret: str
