"""Who asks: the one place where a cookie or a token becomes a person."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.accounts.errors import BrowserOnly, NotSignedIn
from app.accounts.services import Caller, authenticate
from app.settings import Settings
from app.state import AppState


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes the browser refuse the cookie unless it is secure and from this very host."""
    return "__Host-session" if settings.production else "session"


async def caller_or_nobody(connection: HTTPConnection, state: AppState) -> Caller | None:
    """Who asks, by bearer token or else by cookie. None when there is neither, or when it is not valid."""
    database, key = state["database"], state["settings"].secret_key
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await authenticate(database, key=key, secret=token.strip(), kind="program")
    cookie = connection.cookies.get(cookie_name(state["settings"]))
    if cookie is None:
        return None
    return await authenticate(database, key=key, secret=cookie, kind="browser")


async def signed_in(caller: Annotated[Caller | None, Depends(caller_or_nobody)]) -> Caller:
    """Whoever is signed in. Raises NotSignedIn."""
    if caller is None:
        raise NotSignedIn
    return caller


async def in_a_browser(caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
    """A person at a browser. Raises BrowserOnly: a token that leaked must not be able to make more tokens."""
    if caller.kind != "browser":
        raise BrowserOnly("Sign in with name and password to do this.")
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]
InABrowser = Annotated[Caller, Depends(in_a_browser)]
