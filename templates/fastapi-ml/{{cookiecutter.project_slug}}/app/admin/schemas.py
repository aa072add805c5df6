"""What is said over HTTP about models and versions."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from app.inference.cards import Card
from app.schemas import FromRow, Strict

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


class NewVersion(Strict):
    sha256: Sha256
    card: Card


class Change(Strict):
    """With a generation, the change is made only if nobody else made one since that was looked at."""

    generation: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class Promote(Change):
    version: Annotated[int, Field(ge=1, lt=2**31)]


class Version(FromRow):
    number: int
    sha256: str
    size: int
    stage: str
    created_at: datetime
    created_by: str


class VersionWithCard(Version):
    card: Card


class Model(FromRow):
    name: str
    generation: int
    served: bool
    primary: int | None


class Promotion(FromRow):
    generation: int
    number: int
    replaced: int | None
    at: datetime
    by: str
