"""What is read of events: what we need, whatever else is in them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Order(BaseModel):
    """What was ordered."""

    order: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    product_id: Annotated[int, Field(strict=True, ge=1, lt=2**63)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class OrderPlaced(BaseModel):
    """A CloudEvent that tells of an order."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Literal["order.placed"]
    data: Order
