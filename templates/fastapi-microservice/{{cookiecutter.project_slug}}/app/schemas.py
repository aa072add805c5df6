"""What bodies have in common."""

from pydantic import BaseModel, ConfigDict, StringConstraints

WITHOUT_NUL = r"^[^\x00]*$"  # PostgreSQL takes none. (Lone surrogates are refused by Pydantic: they have no UTF-8.)


class Strict(BaseModel):
    """A body in which a number is no string and an unknown member is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid")


class FromRow(BaseModel):
    """A body that is made from a row: `model_validate(row)`."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True)


def words(longest: int) -> StringConstraints:
    """Something that people write: not empty, without space around it, of so many characters at most."""
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest, pattern=WITHOUT_NUL)
