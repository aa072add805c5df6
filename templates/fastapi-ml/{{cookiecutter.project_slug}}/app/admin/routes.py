"""The registry over HTTP: files by their digest, versions of models, and which of them is the primary one."""

from fastapi import APIRouter, Request

from app.admin import schemas
from app.admin.pagination import Cursor, Limit, Number, Page, Text, decode, page
from app.keys.permissions import Admin, Predictor
from app.registry import services
from app.state import AppState

LONGEST_CARD, LONGEST_FILE = 1024 * 1024, 512 * 1024 * 1024  # bytes
router = APIRouter(prefix="/api/v1", tags=["registry"], max_body_size=LONGEST_CARD)


@router.put("/files/{sha256}", max_body_size=LONGEST_FILE)
async def put_file(sha256: str, request: Request, state: AppState, _: Admin) -> dict[str, int]:
    """Keep an ONNX file, to be named by its digest. The same once more changes nothing."""
    return {"size": await state["files"].write(sha256, request.stream())}


@router.get("/models")
async def list_models(state: AppState, _: Predictor, limit: Limit = 50, cursor: Cursor = None) -> Page[schemas.Model]:
    """The models, by name."""
    after = decode(cursor, Text)
    rows = await services.primaries(state["database"], after=after[0] if after else None, limit=limit + 1)
    return page(rows, limit, item=schemas.Model.model_validate, key=lambda row: (row.name,))


@router.post("/models/{name}/versions", status_code=201)
async def register(
    name: schemas.ModelName, body: schemas.NewVersion, state: AppState, holder: Admin
) -> schemas.Version:
    """Register a version of a file that was put before. It is checked, and nobody is served it yet."""
    version = await services.register(state["database"], state["files"], name=name, by=holder.name, **dict(body))
    await state["shelf"].refresh()
    return schemas.Version.model_validate(version)


@router.get("/models/{name}/versions")
async def list_versions(
    name: str, state: AppState, _: Predictor, limit: Limit = 50, cursor: Cursor = None
) -> Page[schemas.Version]:
    """The versions of a model, the newest first."""
    before = decode(cursor, Number)
    rows = await services.versions(state["database"], name=name, before=before[0] if before else None, limit=limit + 1)
    return page(rows, limit, item=schemas.Version.model_validate, key=lambda row: (row.number,))


@router.get("/models/{name}/versions/{number}")
async def get_version(name: str, number: int, state: AppState, _: Predictor) -> schemas.VersionWithCard:
    """A version with its card."""
    _model, version = await services.find(state["database"], name=name, number=number)
    return schemas.VersionWithCard.model_validate(version)


@router.post("/models/{name}/promote")
async def promote(name: str, body: schemas.Promote, state: AppState, holder: Admin) -> schemas.Promotion:
    """Make a version the primary one, after it passed its check. Every process serves it within two seconds."""
    promotion = await services.promote(
        state["database"], state["files"], name=name, number=body.version, by=holder.name, generation=body.generation
    )
    await state["shelf"].refresh()
    return schemas.Promotion.model_validate(promotion)


@router.post("/models/{name}/roll-back")
async def roll_back(name: str, body: schemas.Change, state: AppState, holder: Admin) -> schemas.Promotion:
    """Put the version back that the last change replaced."""
    promotion = await services.roll_back(
        state["database"], state["files"], name=name, by=holder.name, generation=body.generation
    )
    await state["shelf"].refresh()
    return schemas.Promotion.model_validate(promotion)
