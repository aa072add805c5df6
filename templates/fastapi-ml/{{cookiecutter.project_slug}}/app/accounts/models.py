"""The tables of people: who there is, what they are signed in with, and how often somebody guessed."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, now

LONGEST_NAME = 32


class User(Base):
    """A person. The name is what others see and what they sign in with; it is kept in lower case."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)


class Session(Base):
    """A secret that stands for a person: the cookie of a browser.

    The table has only a keyed digest of the secret: who reads a backup cannot sign in with it.
    """

    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class SignInAttempts(Base):
    """How often a key (a name, an address, or both) was tried within its window."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    tries: Mapped[int]
    window_ends_at: Mapped[datetime] = mapped_column(Instant, index=True)
