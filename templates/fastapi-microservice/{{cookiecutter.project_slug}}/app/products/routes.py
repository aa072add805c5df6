"""Products and movements over HTTP."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.contract import LOCATED, Cursor, IfMatch, Key, Limit, Page, PathId, reads, writes
from app.errors import PreconditionFailed
from app.etags import matches
from app.lists import after, listed
from app.operations import Operation, answer, done_once, tagged
from app.products import services
from app.products.schemas import MovementBody, NewMovement, NewProduct, ProductBody, ProductChange
from app.state import state_of

router = APIRouter(route_class=Operation, prefix="/products", tags=["products"])
movements = APIRouter(route_class=Operation, prefix="/products/{product_id}/movements", tags=["movements"])


@router.get("", response_model=Page[ProductBody], **reads(400))
async def list_products(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Products, newest first."""
    before = after(request, cursor)
    async with state_of(request)["database"].read() as connection:
        rows = await services.products(connection, before=before, limit=limit)
    return answer(listed(request, rows, limit, Page[ProductBody]))


@router.post("", response_model=ProductBody, **writes(400, 409, 413, 415, status=201, headers=LOCATED))
async def create_product(request: Request, body: NewProduct) -> Response:
    """A new product, with nothing on hand."""
    async with state_of(request)["database"].write() as connection:
        made = await services.create(connection, sku=body.sku, name=body.name)
    return tagged(ProductBody.model_validate(made), 201, Location=f"{request.url.path}/{made.id}")


@router.get("/{product_id}", response_model=ProductBody, **reads(404))
async def read_product(request: Request, product_id: PathId) -> Response:
    """A product and its stock now."""
    async with state_of(request)["database"].read() as connection:
        found = await services.product(connection, product_id)
    return answer(ProductBody.model_validate(found))


@router.patch("/{product_id}", response_model=ProductBody, **writes(400, 404, 409, 412, 413, 415, 428))
async def change_product(request: Request, product_id: PathId, body: ProductChange, if_match: IfMatch) -> Response:
    """Another SKU, another name. What is left out stays."""
    async with state_of(request)["database"].write() as connection:
        await as_read_before(if_match, connection, product_id)
        row = await services.change(connection, product_id, body.model_dump(exclude_unset=True))
    return tagged(ProductBody.model_validate(row))


@router.delete("/{product_id}", **writes(404, 409, 412, 428, status=204, headers={}))
async def delete_product(request: Request, product_id: PathId, if_match: IfMatch) -> Response:
    """Only a product that never moved and was never put aside can go."""
    async with state_of(request)["database"].write() as connection:
        await as_read_before(if_match, connection, product_id)
        await services.remove(connection, product_id)
    return Response(status_code=204)


async def as_read_before(if_match: list[str], connection: AsyncConnection, product_id: int) -> None:
    """Lock the product. Raises PreconditionFailed unless it is still as If-Match says."""
    await services.locked(connection, product_id)
    present = tagged(ProductBody.model_validate(await services.product(connection, product_id)))
    if not matches(if_match, present.headers["ETag"]):
        raise PreconditionFailed("Read the product again.")


@movements.get("", response_model=Page[MovementBody], **reads(400, 404))
async def list_movements(request: Request, product_id: PathId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What changed the stock of a product, newest first. Nothing in it is ever changed."""
    before = after(request, cursor)
    async with state_of(request)["database"].read() as connection:
        rows = await services.movements(connection, product_id, before=before, limit=limit)
    return answer(listed(request, rows, limit, Page[MovementBody]))


@movements.post("", response_model=MovementBody, **writes(400, 404, 409, 413, 415, status=201, headers={}))
async def move_stock(request: Request, product_id: PathId, body: NewMovement, key: Key) -> Response:
    """Receive, issue or correct. What is put aside can neither be issued nor corrected away."""

    async def do(connection: AsyncConnection) -> Response:
        made = await services.move(connection, product_id, kind=body.kind, quantity=body.quantity, note=body.note)
        return answer(MovementBody.model_validate(made), 201)

    return await done_once(request, key, do)
