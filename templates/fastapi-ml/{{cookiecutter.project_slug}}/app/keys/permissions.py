"""Who may predict, and who may change what is served: keys for programs, the session of a page for people."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.accounts.errors import NotSignedIn
from app.accounts.permissions import caller_or_nobody
from app.keys.errors import NotForThis
from app.keys.services import Holder
from app.state import AppState

PERSON_PER_MINUTE = 600


async def predictor(connection: HTTPConnection, state: AppState) -> Holder:
    """Whoever may predict, counted. Raises NotSignedIn or TooManyRequests."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        holder = await state["gate"].holder(secret.strip())
    else:
        person = await caller_or_nobody(connection, state)
        holder = person and Holder(person.name, "admin", PERSON_PER_MINUTE)
    if holder is None:
        raise NotSignedIn
    await state["gate"].admit(holder)
    return holder


Predictor = Annotated[Holder, Depends(predictor)]


async def admin(holder: Predictor) -> Holder:
    """Whoever may change what is served. Raises NotForThis too."""
    if holder.scope != "admin":
        raise NotForThis("This needs a key with the scope admin, or somebody who signed in.")
    return holder


Admin = Annotated[Holder, Depends(admin)]
