"""What the supplier says, over HTTP."""

from datetime import datetime
from typing import TYPE_CHECKING, cast

from fastapi import APIRouter, Request, Response

from app.contract import Body, PathId, reads
from app.errors import NotFound
from app.operations import Operation, answer
from app.products import services
from app.state import state_of

if TYPE_CHECKING:
    from app.upstream.client import Supplier

router = APIRouter(route_class=Operation)


class Supply(Body):
    """When more of a product is expected."""

    sku: str
    expected_at: datetime | None


@router.get("/products/{product_id}/supply", tags=["products"], response_model=Supply, **reads(404))
async def read_supply(request: Request, product_id: PathId) -> Response:
    """When the supplier will have more of it."""
    supplier = cast("Supplier | None", state_of(request)["extras"].get("supplier"))
    if supplier is None:
        raise NotFound("There is no supplier: SUPPLIER_URL is not set.")
    async with state_of(request)["database"].read() as connection:
        sku = (await services.product(connection, product_id)).sku
    # The connection is given back before: a slow supplier must not keep it from others.
    return answer(Supply(sku=sku, expected_at=await supplier.expected_at(sku)))
