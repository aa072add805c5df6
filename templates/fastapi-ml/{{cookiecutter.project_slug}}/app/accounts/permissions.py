"""Who asks: the one place where a cookie becomes a person."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.accounts.services import Caller, authenticate
from app.keys.errors import NotSignedIn
from app.settings import Settings
from app.state import AppState


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes the browser refuse the cookie unless it is secure and from this very host."""
    return "__Host-session" if settings.production else "session"


async def caller_or_nobody(connection: HTTPConnection, state: AppState) -> Caller | None:
    """Who asks, by cookie. None when there is none, or when it is not valid."""
    cookie = connection.cookies.get(cookie_name(state["settings"]))
    if cookie is None:
        return None
    return await authenticate(state["database"], key=state["settings"].secret_key, secret=cookie)


MaybeCaller = Annotated[Caller | None, Depends(caller_or_nobody)]


async def signed_in(caller: MaybeCaller) -> Caller:
    """Whoever is signed in. Raises NotSignedIn."""
    if caller is None:
        raise NotSignedIn
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]
