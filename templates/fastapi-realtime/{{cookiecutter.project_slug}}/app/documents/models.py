"""The table of shared documents: what was changed, in the order in which it was stored."""

import uuid

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.rooms.models import Room


class DocumentUpdate(Base):
    """An update of a room's document, as Yjs encodes it. All of them, in any order, make the document."""

    __tablename__ = "document_updates"

    room_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Room.id, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
