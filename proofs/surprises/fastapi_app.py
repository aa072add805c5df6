"""FastAPI, as small as it goes: a word, a row, a wait."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI, Request
from pydantic import BaseModel
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

URL = os.environ.get("DATABASE_URL", "").replace("postgresql://", "postgresql+psycopg://")


class Base(DeclarativeBase):
    """The tables."""


class Item(Base):
    """A row; its table is made by run.py."""

    __tablename__ = "item"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]


class Hello(BaseModel):
    """A word."""

    hello: str


class Thing(BaseModel):
    """A row, as it is answered."""

    id: int
    name: str
    price: int


class State(TypedDict):
    """What lives as long as the process."""

    engine: AsyncEngine


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
    engine = create_async_engine(URL or "postgresql+psycopg://none", pool_size=10, max_overflow=0)
    yield {"engine": engine}
    await engine.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)
blocking = create_engine(URL or "postgresql+psycopg://none", pool_size=10, max_overflow=30)


@app.get("/hello")
async def hello() -> Hello:
    return Hello(hello="world")


@app.get("/hello-def")
def hello_def() -> Hello:
    return Hello(hello="world")


@app.get("/read/{identity}")
async def read(identity: int, request: Request) -> Thing:
    async with AsyncSession(request.state.engine) as session:
        item = await session.get_one(Item, identity)
        return Thing(id=item.id, name=item.name, price=item.price)


@app.get("/read-def/{identity}")
def read_def(identity: int) -> Thing:
    with Session(blocking) as session:
        item = session.get_one(Item, identity)
        return Thing(id=item.id, name=item.name, price=item.price)


@app.get("/wait")
async def wait() -> dict[str, bool]:
    await asyncio.sleep(0.1)
    return {"waited": True}


@app.get("/wait-def")
def wait_def() -> dict[str, bool]:
    time.sleep(0.1)
    return {"waited": True}


@app.get("/wait-blocking")
async def wait_blocking() -> dict[str, bool]:
    time.sleep(0.1)  # the one wrong line
    return {"waited": True}
