"""Who may make tokens."""

from typing import Annotated

from fastapi import Depends

from app.accounts.permissions import SignedIn
from app.accounts.services import Caller
from app.tokens.errors import BrowserOnly


async def in_a_browser(caller: SignedIn) -> Caller:
    """A person at a browser. Raises BrowserOnly: a token that leaked must not be able to make more tokens."""
    if caller.kind != "browser":
        raise BrowserOnly("Sign in with name and password to do this.")
    return caller


InABrowser = Annotated[Caller, Depends(in_a_browser)]
