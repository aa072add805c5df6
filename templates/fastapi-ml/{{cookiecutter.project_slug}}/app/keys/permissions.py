"""Who may predict, and who may change what is served: programs by their keys, and whom an extra knows."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.keys.errors import NotForThis, NotSignedIn
from app.keys.services import Holder
from app.state import state_of


async def known(connection: HTTPConnection) -> Holder | None:
    """Whoever asks, by bearer key or else as an extra knows them; None when it is nobody."""
    state = await state_of(connection)
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await state["gate"].holder(secret.strip())
    for who in state["people"]:
        if person := await who(connection):
            return person
    return None


MaybeHolder = Annotated[Holder | None, Depends(known)]


async def predictor(connection: HTTPConnection) -> Holder:
    """Whoever may predict. Raises NotSignedIn, or what a limit raises."""
    holder = await known(connection)
    if holder is None:
        raise NotSignedIn
    for limit in (await state_of(connection))["limits"]:
        await limit(holder)
    return holder


Predictor = Annotated[Holder, Depends(predictor)]


async def admin(holder: Predictor) -> Holder:
    """Whoever may change what is served. Raises NotForThis too."""
    if holder.scope != "admin":
        raise NotForThis("This needs a key with the scope admin, or somebody who signed in.")
    return holder


Admin = Annotated[Holder, Depends(admin)]
