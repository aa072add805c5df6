"""The bodies of products and movements."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from app.contract import Body, Count, Id

MOST_AT_ONCE = 1_000_000

Sku = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Z0-9][A-Z0-9._-]*$", examples=["TEA-GREEN-100"])]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$",
        examples=["Green tea, 100 g"],
    ),
]
Note = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Kind = Literal["receive", "issue", "correct"]
Change = Annotated[int, Field(ge=-MOST_AT_ONCE, le=MOST_AT_ONCE)]


class NewProduct(Body):
    """A product that is not there yet."""

    sku: Sku
    name: Name


class ProductChange(Body):
    """What is to be another; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    sku: Sku = Field(default_factory=str)
    name: Name = Field(default_factory=str)

    @model_validator(mode="after")
    def _something(self) -> "ProductChange":
        if not self.model_fields_set:
            raise ValueError("change something")
        return self


class ProductBody(Body):
    """A product and its stock now."""

    model_config = ConfigDict(title="Product", from_attributes=True)

    id: Id
    sku: Sku
    name: Name
    on_hand: Count
    reserved: Count
    available: Count
    created_at: datetime
    updated_at: datetime


class NewMovement(Body):
    """What is to change the stock."""

    kind: Kind
    quantity: Change
    note: Note = Field(default_factory=str)

    @field_validator("quantity")
    @classmethod
    def _enough(cls, value: int, given: ValidationInfo) -> int:
        if value < 1 and (value == 0 or given.data.get("kind") in ("receive", "issue")):
            raise ValueError("at least 1; a correction may be less than nothing, but is not nothing")
        return value


class MovementBody(Body):
    """What changed the stock."""

    model_config = ConfigDict(title="Movement", from_attributes=True)

    id: Id
    product_id: Id
    reservation_id: Id | None
    kind: Kind
    change: Change
    on_hand: Count
    note: Note
    created_at: datetime
