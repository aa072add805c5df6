"""The model card: what a model takes and gives, what it learned from, how good it was, and how to check a copy."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

from app.schemas import WITHOUT_NUL

type Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=WITHOUT_NUL)]
Size = Annotated[int, Field(ge=-1, lt=2**31)]


class _Part(BaseModel):
    """A part of a card: nothing unknown, nothing infinite; it is kept as JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Output(_Part):
    """A tensor that comes out. In its shape -1 stands for any size, and the first size is the number of rows."""

    name: Name
    datatype: Datatype
    shape: Annotated[list[Size], Field(min_length=1, max_length=8)]
    description: Text = ""

    @property
    def batched(self) -> bool:
        """Whether it has as many rows as one likes."""
        return self.shape[0] == -1


class Input(Output):
    """A tensor that goes in, with the unit of its numbers and what they may be."""

    unit: Text = ""
    minimum: FiniteFloat | None = None
    maximum: FiniteFloat | None = None
    categories: list[Text] | None = None

    @cached_property
    def known(self) -> frozenset[str]:
        """The categories, to look one up."""
        return frozenset(self.categories or ())


class Statistics(_Part):
    """How an input was distributed in training: counts between the edges of bins, or of each category."""

    edges: list[float] | None = None
    categories: list[Text] | None = None
    counts: list[int]


class Reliability(_Part):
    """One bar of the calibration: of `count` rows this much was foretold, and this much came about."""

    foretold: float
    observed: float
    count: int


class Check(_Part):
    """Some rows and what the estimator made of them: a copy that differs by more is not this model.

    The tolerance is absolute, and of the value: FP32 has seven digits, so a price in millions is not exact to 1e-5.
    """

    inputs: dict[str, list[Any]]
    outputs: dict[str, list[Any]]
    tolerance: Annotated[float, Field(gt=0, le=0.1)] = 1e-5


class Card(_Part):
    """Everything about a version but its bytes."""

    description: Text
    notes: list[Text] = []
    inputs: Annotated[list[Input], Field(min_length=1, max_length=256)]
    outputs: Annotated[list[Output], Field(min_length=1, max_length=64)]
    statistics: dict[str, Statistics] = {}
    metrics: dict[str, float] = {}
    calibration: list[Reliability] = []
    check: Check

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = {each.name for each in self.inputs}
        if len(names) < len(self.inputs) or len({each.name for each in self.outputs}) < len(self.outputs):
            raise ValueError("two tensors have the same name")
        if self.check.inputs.keys() != names or not self.check.outputs.keys() <= {each.name for each in self.outputs}:
            raise ValueError("the check does not have the names of the inputs and outputs")
        if not self.check.outputs:
            raise ValueError("a check without outputs checks nothing")
        datatypes = {each.name: each.datatype for each in self.inputs}
        for name, known in self.statistics.items():
            edges, texts = known.edges or [], datatypes.get(name) == "BYTES"
            bins = len(known.categories or ()) if texts else len(edges) - 1
            fits = name in names and (known.categories is not None) == texts and edges == sorted({*edges})
            if not fits or bins != len(known.counts) or min(known.counts, default=-1) < 0 or not sum(known.counts):
                raise ValueError(f"the statistics of {name} are not those of an input")
        return self

    @property
    def batched(self) -> bool:
        """Whether rows of several requests can be put together: every tensor has as many rows as one likes."""
        return all(each.batched for each in [*self.inputs, *self.outputs])
