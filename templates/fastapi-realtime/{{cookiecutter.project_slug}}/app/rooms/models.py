"""The tables of rooms: the room with its counter, who is in it, and the log of what happened there."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, Instant, now

LONGEST_ROOM_NAME = 64
LONGEST_CLIENT_ID = 64


class Room(Base):
    """A room. `seq` is the number of the last event in its log; whoever adds one holds this row until the commit."""

    __tablename__ = "rooms"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(LONGEST_ROOM_NAME))
    seq: Mapped[int] = mapped_column(default=0)
    # The last event that was deleted because it was old: the log has those after it.
    pruned: Mapped[int] = mapped_column(default=0)
    # Changes when the log is no longer the same (a restored backup), so that clients know to start afresh.
    epoch: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)


class Member(Base):
    """Somebody who may read and write in a room; an owner also says who else may."""

    __tablename__ = "members"
    __table_args__ = (CheckConstraint("role IN ('owner', 'member')", name="role"),)

    room_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Room.id, ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(6))
    joined_at: Mapped[datetime] = mapped_column(Instant, default=now)

    room: Mapped[Room] = relationship(lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")


class Event(Base):
    """One thing that happened in a room. A room's events are numbered 1..N without a gap, in the order of commits.

    `message`: the actor said `body`. `edited`, `deleted`: the message number `target` says `body` now, or nothing.
    `joined`, `left`: the actor let the subject in or out (often the same person).

    A message's own row always has its newest words, so that a page of history is right by itself; an empty body is one
    that was deleted, and the words of a deleted message are nowhere in the log.
    """

    __tablename__ = "events"
    __table_args__ = (
        # The same message sent twice, because its ack got lost, is one message.
        UniqueConstraint("room_id", "actor_id", "client_id"),
        CheckConstraint("kind IN ('message', 'edited', 'deleted', 'joined', 'left')", name="kind"),
        CheckConstraint("(kind IN ('message', 'edited')) = (body IS NOT NULL)", name="body"),
        CheckConstraint("(kind IN ('edited', 'deleted')) = (target IS NOT NULL)", name="target"),
        CheckConstraint("(kind IN ('joined', 'left')) = (client_id IS NULL)", name="client_id"),
    )

    room_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Room.id, ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(7))
    actor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    subject_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(User.id))
    client_id: Mapped[str | None] = mapped_column(String(LONGEST_CLIENT_ID))
    target: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    edited_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)

    actor: Mapped[User] = relationship(foreign_keys=actor_id, lazy="raise")
    subject: Mapped[User | None] = relationship(foreign_keys=subject_id, lazy="raise")
