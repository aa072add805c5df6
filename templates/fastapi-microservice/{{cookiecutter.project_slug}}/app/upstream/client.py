"""Somebody else's service, asked in such a way that its troubles do not become ours.

A question has a deadline, all its attempts together. It is tried again at most twice, and only while retries are few
among all questions: a service that is down is not helped by three times as many. No more than so many questions are
under way at once, so that a slow one does not take all that we have.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Self

import httpx2
from pydantic import AwareDatetime, BaseModel, ValidationError

from app.upstream.errors import SupplierUnavailable

DEADLINE = 2.0  # seconds, for everything
ATTEMPTS = 3
PAUSE = 0.05  # seconds before the second attempt, and twice that before the third
AT_ONCE = 20
BUDGET, PER_QUESTION = 10.0, 0.1  # retries that may be spent at once, and what each question adds


class Delivery(BaseModel):
    """What a supplier says of a SKU."""

    expected_at: AwareDatetime | None


class Supplier:
    """The supplier at an address."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._room = asyncio.Semaphore(AT_ONCE)
        self._budget = BUDGET

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Self]:
        """The supplier, while it is needed."""
        async with httpx2.AsyncClient(base_url=url, timeout=DEADLINE, follow_redirects=False) as client:
            yield cls(client)

    async def expected_at(self, sku: str) -> datetime | None:
        """When more of it comes; None when nobody knows. Raises SupplierUnavailable, in time."""
        try:
            async with asyncio.timeout(DEADLINE), self._room:
                answer = await self._ask(f"/deliveries/{sku}")
        except (httpx2.TransportError, TimeoutError) as error:
            raise SupplierUnavailable from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        try:
            return Delivery.model_validate_json(answer.raise_for_status().content).expected_at
        except (httpx2.HTTPStatusError, ValidationError) as error:
            raise SupplierUnavailable from error

    async def _ask(self, path: str) -> httpx2.Response:
        self._budget = min(BUDGET, self._budget + PER_QUESTION)
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1 or self._budget < 1
            try:
                answer = await self._client.get(path)
            except httpx2.TransportError:
                if last:
                    raise
            else:
                if last or answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return answer
            self._budget -= 1
            await asyncio.sleep(PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  not all at the same time
        raise AssertionError("the last attempt has returned or raised")
