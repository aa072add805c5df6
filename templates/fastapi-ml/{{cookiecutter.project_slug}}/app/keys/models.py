"""The table of keys: what programs are let in with."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now


class Key(Base):
    """A secret of a program. The table has a keyed digest only: who reads a backup cannot use it."""

    __tablename__ = "keys"
    __table_args__ = (CheckConstraint("scope IN ('predict', 'admin')", name="scope"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    label: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    scope: Mapped[str] = mapped_column(String(7))
    per_minute: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)
    expires_at: Mapped[datetime] = mapped_column(Instant)
