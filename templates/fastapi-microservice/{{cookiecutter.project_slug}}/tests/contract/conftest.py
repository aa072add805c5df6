"""Who asks, and whom: see the docstring of this package."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from . import contract
from .caller import Caller


@pytest.fixture(scope="session")
def judged(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The server that is judged: where it is, and tokens for it."""
    if said := os.environ.get("CONTRACT_SERVER"):
        return dict(json.loads(said))
    return dict(request.getfixturevalue("contract_server"))


@pytest.fixture(scope="session")
def core() -> contract.Contract:
    """core.yaml."""
    return contract.core()


def calling(judged: dict[str, Any], of: contract.Contract, name: str | None, url: str = "url") -> Iterator[Caller]:
    """A caller with the token of this name; its connections are closed in the end."""
    caller = Caller(judged[url], of, judged["tokens"][name] if name else None)
    caller.patient = bool(judged.get("one_writer"))
    with caller.http:
        yield caller


@pytest.fixture(scope="session")
def writer(judged: dict[str, Any], core: contract.Contract) -> Iterator[Caller]:
    """Who may read and write."""
    yield from calling(judged, core, "writer")


@pytest.fixture(scope="session")
def reader(judged: dict[str, Any], core: contract.Contract) -> Iterator[Caller]:
    """Who may only read."""
    yield from calling(judged, core, "reader")


@pytest.fixture(scope="session")
def other(judged: dict[str, Any], core: contract.Contract) -> Iterator[Caller]:
    """Somebody else who may read and write."""
    yield from calling(judged, core, "other")


@pytest.fixture(scope="session")
def stranger(judged: dict[str, Any], core: contract.Contract) -> Iterator[Caller]:
    """Who has no token."""
    yield from calling(judged, core, None)


@pytest.fixture(scope="session")
def limited(judged: dict[str, Any], core: contract.Contract) -> Iterator[Caller]:
    """Who may ask only so often."""
    yield from calling(judged, core, "writer", "limited_url")
