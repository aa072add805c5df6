"""What every request body has in common."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A body in which a number is no string and an unknown member is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid")
