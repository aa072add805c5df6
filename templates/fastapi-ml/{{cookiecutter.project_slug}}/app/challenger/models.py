"""The tables of challengers: which version challenges the primary one, and how both did."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now


class Challenger(Base):
    """A version that is asked beside the primary one (shadow), or instead of it for a share of requests (split)."""

    __tablename__ = "challengers"
    __table_args__ = (
        CheckConstraint("mode IN ('shadow', 'split')", name="mode"),
        CheckConstraint("share > 0 AND share <= 1", name="share"),
    )

    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    mode: Mapped[str] = mapped_column(String(6))
    share: Mapped[float]
    since: Mapped[datetime] = mapped_column(Instant, default=now)


class Compared(Base):
    """What a process saw within some seconds; the sum over the rows is what is known."""

    __tablename__ = "challenger_compared"
    __table_args__ = (Index(None, "model", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(Instant, default=now)
    model: Mapped[str] = mapped_column(String(64))
    primary: Mapped[int]
    challenger: Mapped[int]
    requests: Mapped[int]  # that the challenger was asked
    failed: Mapped[int]  # of those, without an answer
    dropped: Mapped[int]  # that it was not asked, because it did not keep up
    rows: Mapped[int]  # that both answered
    agreed: Mapped[int]  # of those, alike to a thousandth in every output
    largest: Mapped[float]  # difference of any number
