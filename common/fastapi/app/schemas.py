"""What every request body has in common."""

from pydantic import BaseModel, ConfigDict

WITHOUT_NUL = r"^[^\x00]*$"  # PostgreSQL takes none. (Lone surrogates are refused by Pydantic: they have no UTF-8.)


class Strict(BaseModel):
    """A body in which a number is no string and an unknown member is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid")
