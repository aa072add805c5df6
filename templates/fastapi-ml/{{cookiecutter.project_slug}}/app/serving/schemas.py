"""What is said in the Open Inference Protocol (v2, over HTTP), as far as it is read from a body."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, StringConstraints

from app.inference.cards import Datatype

Tensor = Annotated[str, StringConstraints(max_length=64)]


class _Body(BaseModel):
    """A part of a request. Members that are not known are left alone: the protocol lets extensions add some."""

    model_config = ConfigDict(strict=True)


class RequestedInput(_Body):
    """A tensor; its data are here, or after the JSON when `binary_data_size` says so."""

    name: Tensor
    datatype: Datatype
    shape: Annotated[list[Annotated[NonNegativeInt, Field(lt=2**31)]], Field(min_length=1, max_length=8)]
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class RequestedOutput(_Body):
    """A tensor that is wanted."""

    name: Tensor
    parameters: dict[str, Any] = {}


class InferRequest(_Body):
    """A request for a prediction."""

    id: Annotated[str, StringConstraints(max_length=128)] = ""
    parameters: dict[str, Any] = {}
    inputs: Annotated[list[RequestedInput], Field(max_length=256)]
    outputs: Annotated[list[RequestedOutput], Field(max_length=64)] | None = None
