"""The rules of people: making accounts, signing in and out."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import SecretStr
from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.errors import NameTaken, TooManyAttempts, UserNotFound, WrongNameOrPassword
from app.accounts.models import Session, SignInAttempts, User
from app.database import Database, now

BROWSER_SESSION = timedelta(days=14)
WINDOW = timedelta(minutes=15)
# Tries per window. The pair stops one guesser, the address one who tries many names, the name many guessers.
TRIES_PER_PAIR, TRIES_PER_ADDRESS, TRIES_PER_NAME = 5, 50, 100

# Asked with every request, so it is put together once, and asks for columns, which cost half as much as objects.
WHO = select(User.id, User.name, Session.id).join_from(Session, User)
CALLER = WHO.where(Session.digest == bindparam("key"), Session.expires_at > bindparam("now"))
passwords = PasswordHasher()  # argon2id with the parameters of RFC 9106, low memory


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and by which session."""

    user_id: uuid.UUID
    name: str
    session_id: uuid.UUID


async def create_user(database: Database, *, name: str, password: str) -> User:
    """Make an account. Raises NameTaken."""
    user = User(id=uuid.uuid4(), name=name.lower(), password_hash=await asyncio.to_thread(passwords.hash, password))
    try:
        async with database.write() as session:
            session.add(user)
    except IntegrityError as error:
        raise NameTaken(f"Choose another name than {name}.") from error
    return user


async def set_password(database: Database, *, name: str, password: str) -> None:
    """Give somebody a new password and end all their sessions. Raises UserNotFound."""
    hashed = await asyncio.to_thread(passwords.hash, password)
    async with database.write() as session:
        change = update(User).where(User.name == name.lower()).values(password_hash=hashed)
        found = await session.scalar(change.returning(User.id))
        if found is None:
            raise UserNotFound(f"Nobody is called {name}.")
        await session.execute(delete(Session).where(Session.user_id == found))


async def sign_in(
    database: Database, *, key: SecretStr, name: str, password: str, address: str, replaces: str | None = None
) -> tuple[Caller, str]:
    """Who this is, and the secret for the cookie. The session of the cookie that it `replaces` ends.

    Raises WrongNameOrPassword, which does not tell which, or TooManyAttempts. An attempt is counted before the
    password is looked at, so a hundred guesses at once are not a hundred guesses.
    """
    name = name.lower()
    pair, *others = await _count_attempt(database, name=name, address=address)
    async with database.read() as session:
        user = await session.scalar(select(User).where(User.name == name))
    if not await asyncio.to_thread(_verify, user.password_hash if user else None, password) or user is None:
        raise WrongNameOrPassword("Check both. Capital letters count in the password, not in the name.")
    async with database.write() as session:
        if replaces:
            await session.execute(delete(Session).where(Session.digest == _digest(key, replaces)))
        # Right passwords are no guesses: a whole office behind one address may sign in.
        await session.execute(delete(SignInAttempts).where(SignInAttempts.key == pair))
        counted = update(SignInAttempts).where(SignInAttempts.key.in_(others), SignInAttempts.tries > 0)
        await session.execute(counted.values(tries=SignInAttempts.tries - 1))
        await _sweep(session)
        secret = secrets.token_urlsafe(32)
        expires_at = now() + BROWSER_SESSION
        opened = Session(id=uuid.uuid4(), digest=_digest(key, secret), user_id=user.id, expires_at=expires_at)
        session.add(opened)
    return Caller(user.id, user.name, opened.id), secret


async def authenticate(database: Database, *, key: SecretStr, secret: str) -> Caller | None:
    """Who a cookie stands for, or None when it is not, or no longer, valid."""
    async with database.read() as session:
        row = (await session.execute(CALLER, {"key": _digest(key, secret), "now": now()})).first()
    return Caller(*row) if row else None


async def sign_out(database: Database, *, session_id: uuid.UUID) -> None:
    """End a session."""
    async with database.write() as session:
        await session.execute(delete(Session).where(Session.id == session_id))


async def _sweep(session: AsyncSession) -> None:
    """Delete what is long over. Rows that somebody is just counting in are left, or each could wait for the other."""
    over = select(SignInAttempts.key).where(SignInAttempts.window_ends_at < now()).with_for_update(skip_locked=True)
    await session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(over)))
    await session.execute(delete(Session).where(Session.expires_at < now()))


def _digest(key: SecretStr, secret: str) -> bytes:
    return hmac.digest(key.get_secret_value().encode(), secret.encode(), hashlib.sha256)


@cache
def _hash_of_nobody() -> str:
    return passwords.hash(secrets.token_urlsafe())


def _verify(hashed: str | None, password: str) -> bool:
    """Whether the password is right. As much work for a name that nobody has, or the time would tell."""
    try:
        return passwords.verify(hashed or _hash_of_nobody(), password) and hashed is not None
    except VerifyMismatchError:
        return False


async def _count_attempt(database: Database, *, name: str, address: str) -> tuple[str, ...]:
    """Count one more attempt, in the database because there may be many processes. Raises TooManyAttempts.

    Returns the keys that were counted: those of the pair, the address and the name.
    """
    network, moment = _network(address), now()
    keys = f"pair {network} {name}", f"address {network}", f"name {name}"
    limits = dict(zip(keys, (TRIES_PER_PAIR, TRIES_PER_ADDRESS, TRIES_PER_NAME), strict=True))
    # Always in the same order, or two attempts could wait for each other.
    first = [{"key": key, "tries": 1, "window_ends_at": moment + WINDOW} for key in sorted(keys)]
    tries, ends = SignInAttempts.tries, SignInAttempts.window_ends_at
    over = ends < moment
    again = {"tries": case((over, 1), else_=tries + 1), "window_ends_at": case((over, moment + WINDOW), else_=ends)}
    count = database.insert(SignInAttempts).values(first).on_conflict_do_update(index_elements=["key"], set_=again)
    async with database.write() as session:
        counted = (await session.execute(count.returning(SignInAttempts.key, tries, ends))).all()
    if waits := [end - moment for key, number, end in counted if number > limits[key]]:
        seconds = max(1, round(max(waits).total_seconds()))
        raise TooManyAttempts(f"Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)})
    return keys


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: a single customer has all of that."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))  # noqa: PLR2004
