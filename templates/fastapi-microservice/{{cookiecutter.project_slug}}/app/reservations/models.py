"""The table of reservations."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, bindparam, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Instant

HELD = text("state = 'held'")


class Reservation(Base):
    """Some of a product, put aside for a while. Held becomes one of the others, once."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'confirmed', 'cancelled', 'expired')", name="state"),
        CheckConstraint("quantity >= 1", name="quantity"),
        # What is overdue is looked for with every look at a product.
        Index("ix_reservations_held", "product_id", "expires_at", postgresql_where=HELD, sqlite_where=HELD),
        Index(None, "holder", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    holder: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    state: Mapped[str] = mapped_column(String(9))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)


# What is overdue counts no more, whoever has noticed or not.
MOMENT = bindparam("moment", type_=Instant)
OVERDUE = (Reservation.state == "held") & (Reservation.expires_at <= MOMENT)
