"""The tables of the registry: models, their versions, and which of them was the primary one since when."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now

LONGEST_NAME = 64
IS_PRIMARY = text("stage = 'primary'")


class Model(Base):
    """Something that is foretold. Its generation goes up by one with each change of what is to be served."""

    __tablename__ = "models"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), unique=True)
    generation: Mapped[int] = mapped_column(default=0)
    served: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)


class Version(Base):
    """A file, named by the SHA-256 of its bytes, and its card. Neither is ever changed; only the stage is."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("model_id", "number"),
        UniqueConstraint("model_id", "sha256"),
        CheckConstraint("stage IN ('candidate', 'primary', 'retired')", name="stage"),
        # Whatever the code does, a model has one primary version at most.
        Index("one_primary", "model_id", unique=True, postgresql_where=IS_PRIMARY, sqlite_where=IS_PRIMARY),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    model_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Model.id, ondelete="CASCADE"))
    number: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    stage: Mapped[str] = mapped_column(String(9), default="candidate")
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)
    created_by: Mapped[str] = mapped_column(String(100))


class Promotion(Base):
    """A version became the primary one. The key is the generation that began: it can begin once only."""

    __tablename__ = "promotions"

    model_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Model.id, ondelete="CASCADE"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    replaced: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(Instant, default=now)
    by: Mapped[str] = mapped_column(String(100))
