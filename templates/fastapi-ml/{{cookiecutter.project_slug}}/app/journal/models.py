"""The table of what was foretold."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now


class Prediction(Base):
    """A request and its answer. Long ones are kept by their beginning; `rows` says how many there were."""

    __tablename__ = "predictions"
    __table_args__ = (Index(None, "model", "at"), Index(None, "at"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(Instant, default=now)
    model: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    asked_by: Mapped[str] = mapped_column(String(100))
    request_id: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    outputs: Mapped[dict[str, Any]] = mapped_column(JSON)
