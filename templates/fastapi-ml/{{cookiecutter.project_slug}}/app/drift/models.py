"""The tables of drift: what was counted, and what was found."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now


class Counted(Base):
    """What a process counted within some seconds: of each input, how many rows were in each bin of training."""

    __tablename__ = "drift_counts"
    __table_args__ = (Index(None, "model", "version", "at"), Index(None, "at"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(Instant, default=now)
    model: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)


class Report(Base):
    """What was found in an hour. Every process looks, and the first one's finding stands."""

    __tablename__ = "drift_reports"

    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    raised: Mapped[list[str]] = mapped_column(JSON)
    psi: Mapped[dict[str, Any]] = mapped_column(JSON)
