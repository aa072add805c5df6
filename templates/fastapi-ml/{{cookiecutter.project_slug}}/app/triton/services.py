"""Loading and unloading, as Triton's repository has it: for all processes at once."""

from sqlalchemy import update

from app.database import Database
from app.registry.errors import ModelNotFound
from app.registry.models import Model


async def set_served(database: Database, *, name: str, served: bool) -> None:
    """Let every process load a model, or let go of it. Raises ModelNotFound."""
    async with database.write() as session:
        change = update(Model).where(Model.name == name).values(served=served)
        if not (await session.execute(change.returning(Model.id))).all():
            raise ModelNotFound(f"There is no model {name}.")
