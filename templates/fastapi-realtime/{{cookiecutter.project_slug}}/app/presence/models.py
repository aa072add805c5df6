"""The table of presence: who is in which room, as each process says of its own connections."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.models import User
from app.database import Base, Instant
from app.rooms.models import Room


class Presence(Base):
    """Somebody is in a room, through a process, until `expires_at` unless the process says so again."""

    __tablename__ = "presence"

    room_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Room.id, ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True)
    process_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
