"""The table of allowances: how much of it each caller has taken."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant


class Allowance(Base):
    """How many requests the processes have taken for somebody within the window."""

    __tablename__ = "allowances"

    holder: Mapped[str] = mapped_column(String(200), primary_key=True)
    policy: Mapped[str] = mapped_column(String(30), primary_key=True)  # another one counts for itself
    taken: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[datetime] = mapped_column(Instant, index=True)
