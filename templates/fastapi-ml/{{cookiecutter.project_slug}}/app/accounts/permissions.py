"""Who asks: the one place where a cookie becomes a person."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.accounts.errors import CrossSiteRequest
from app.accounts.services import Caller, authenticate
from app.keys.errors import NotSignedIn
from app.settings import Settings
from app.state import AppState

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes the browser refuse the cookie unless it is secure and from this very host."""
    return "__Host-session" if settings.production else "session"


def from_our_pages(connection: HTTPConnection) -> None:
    """Raises CrossSiteRequest when another site makes a browser do more here than look.

    A browser says where a request comes from in Sec-Fetch-Site, an older one in Origin; a program says neither, and
    has no cookie that another site could misuse. No token has to be carried through forms and pages.
    """
    headers, ours = connection.headers, f"{connection.url.scheme}://{connection.headers.get('host', '')}"
    elsewhere = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    if connection.scope["method"] not in SAFE_METHODS and (elsewhere or headers.get("origin", ours) != ours):
        raise CrossSiteRequest("Send the request from a page of this site.")


async def caller_or_nobody(connection: HTTPConnection, state: AppState) -> Caller | None:
    """Who asks, by cookie. None when there is none, or when it is not valid. Raises CrossSiteRequest."""
    cookie = connection.cookies.get(cookie_name(state["settings"]))
    if cookie is None:
        return None
    from_our_pages(connection)
    return await authenticate(state["database"], key=state["settings"].secret_key, secret=cookie)


MaybeCaller = Annotated[Caller | None, Depends(caller_or_nobody)]


async def signed_in(caller: MaybeCaller) -> Caller:
    """Whoever is signed in. Raises NotSignedIn."""
    if caller is None:
        raise NotSignedIn
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]
