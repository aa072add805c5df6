"""The table of events that are to be published."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Instant

PENDING = text("published_at IS NULL")


class Event(Base):
    """Something that happened to a product. Those of one product are published in the order of their ids."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_pending", "product_id", "id", postgresql_where=PENDING, sqlite_where=PENDING),
        Index("ix_outbox_published", "published_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36))
    product_id: Mapped[int] = mapped_column(BigInteger)  # no foreign key: a deleted product has a last event
    type: Mapped[str] = mapped_column(String(100))
    data: Mapped[str] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(String(55))
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    published_at: Mapped[datetime | None] = mapped_column(Instant)
