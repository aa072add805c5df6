"""Reservations over HTTP."""

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contract import LOCATED, Cursor, Key, Limit, Page, PathId, reads, writes
from app.errors import NotFound
from app.lists import after, listed
from app.operations import Operation, answer, caller_of, done_once, invalid, tagged
from app.reservations import services
from app.reservations.schemas import NewReservation, ReservationBody
from app.state import state_of

router = APIRouter(route_class=Operation, prefix="/reservations", tags=["reservations"])


@router.get("", response_model=Page[ReservationBody], **reads(400))
async def list_reservations(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The caller's own, newest first."""
    holder = caller_of(request).name
    before = after(request, cursor, whose=holder)
    async with state_of(request)["database"].read() as connection:
        rows = await services.reservations(connection, holder=holder, before=before, limit=limit)
    return answer(listed(request, rows, limit, Page[ReservationBody], whose=holder))


@router.post("", response_model=ReservationBody, **writes(400, 409, 413, 415, status=201, headers=LOCATED))
async def hold_stock(request: Request, body: NewReservation, key: Key) -> Response:
    """Put some of a product aside, for a while."""

    async def do(connection: AsyncConnection) -> Response:
        try:
            made = await services.hold(
                connection,
                holder=caller_of(request).name,
                product_id=body.product_id,
                quantity=body.quantity,
                lasts=timedelta(seconds=body.expires_in),
            )
        except NotFound as error:
            raise invalid("body", "product_id", error.detail) from error
        return tagged(ReservationBody.model_validate(made), 201, Location=f"{request.url.path}/{made.id}")

    return await done_once(request, key, do)


@router.get("/{reservation_id}", response_model=ReservationBody, **reads(404))
async def read_reservation(request: Request, reservation_id: PathId) -> Response:
    """A reservation and its state now."""
    async with state_of(request)["database"].read() as connection:
        found = await services.reservation(connection, reservation_id, holder=caller_of(request).name)
    return answer(ReservationBody.model_validate(found))


@router.post("/{reservation_id}/confirm", response_model=ReservationBody, **writes(400, 404, 409))
async def confirm_reservation(request: Request, reservation_id: PathId, key: Key) -> Response:
    """What was put aside goes out, by a movement that is issued for it. There is no body."""
    return await close(request, reservation_id, key, to="confirmed")


@router.post("/{reservation_id}/cancel", response_model=ReservationBody, **writes(400, 404, 409))
async def cancel_reservation(request: Request, reservation_id: PathId, key: Key) -> Response:
    """What was put aside can be had again. There is no body."""
    return await close(request, reservation_id, key, to="cancelled")


async def close(request: Request, reservation_id: int, key: str, *, to: Literal["confirmed", "cancelled"]) -> Response:
    """End a reservation one way or the other."""

    async def do(connection: AsyncConnection) -> Response:
        holder = caller_of(request).name
        closed = await services.close(connection, reservation_id, holder=holder, to=to)
        return tagged(ReservationBody.model_validate(closed))

    return await done_once(request, key, do)
