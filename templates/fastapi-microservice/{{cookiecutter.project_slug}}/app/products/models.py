"""The tables of products and of what changed their stock."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Instant


class Product(Base):
    """Something that is on hand so many times, some of it put aside."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="reserved"),
        {"sqlite_autoincrement": True},  # an id that was deleted means nothing else later
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    on_hand: Mapped[int] = mapped_column(BigInteger, default=0)
    # In reservations whose state is held, those that are overdue and not released yet included.
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class Movement(Base):
    """What changed the number on hand, and what it was after that. Only ever added to."""

    __tablename__ = "movements"
    __table_args__ = (
        CheckConstraint("kind IN ('receive', 'issue', 'correct')", name="kind"),
        CheckConstraint("change <> 0 AND on_hand >= 0", name="change"),
        Index(None, "product_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    reservation_id: Mapped[int | None] = mapped_column(ForeignKey("reservations.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(7))
    change: Mapped[int]
    on_hand: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
