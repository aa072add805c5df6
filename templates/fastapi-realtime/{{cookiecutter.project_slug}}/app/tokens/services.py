"""The rules of tokens: sessions of programs, made, listed and revoked by people."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import or_, select

from app.accounts.models import Session, User
from app.accounts.services import end_sessions, open_session
from app.database import Database, now
from app.tokens.errors import TokenNotFound


async def create_token(
    database: Database, *, key: SecretStr, user_id: uuid.UUID, label: str, lasts: timedelta
) -> tuple[Session, str]:
    """A token for a program, and its secret, which nobody can read again."""
    async with database.write() as session:
        user = await session.get_one(User, user_id)
        caller, secret = await open_session(session, key=key, user=user, kind="program", lasts=lasts, label=label)
        return await session.get_one(Session, caller.session_id), secret


async def tokens_of(
    database: Database, *, user_id: uuid.UUID, before: tuple[datetime, uuid.UUID] | None, limit: int
) -> Sequence[Session]:
    """The valid tokens of a person, newest first."""
    query = select(Session).where(
        Session.user_id == user_id, Session.kind == "program", Session.ended_at.is_(None), Session.expires_at > now()
    )
    if before:
        moment, last = before
        query = query.where(or_(Session.created_at < moment, (Session.created_at == moment) & (Session.id < last)))
    async with database.read() as session:
        rows = await session.scalars(query.order_by(Session.created_at.desc(), Session.id.desc()).limit(limit))
        return rows.all()


async def revoke_token(database: Database, *, user_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """End a token; the sockets that it opened are closed. Raises TokenNotFound when it is not one of this person's."""
    async with database.write() as session:
        mine = (Session.id == token_id, Session.user_id == user_id, Session.kind == "program")
        if not await end_sessions(session, *mine):
            raise TokenNotFound("It was revoked already, or it is somebody else's.")
