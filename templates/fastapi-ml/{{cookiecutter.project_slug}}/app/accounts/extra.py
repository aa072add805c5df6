"""Accounts: people who sign in at a page, try predictions, and change what is served."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import typer
from fastapi import APIRouter
from fastapi.requests import HTTPConnection
from pydantic import TypeAdapter, ValidationError

from app.accounts import services
from app.accounts.pages import router as pages
from app.accounts.permissions import caller_or_nobody
from app.accounts.routes import router as session
from app.accounts.schemas import Name, Password
from app.commands import in_database, refusal
from app.database import Database
from app.extras import Extra
from app.keys.services import Holder
from app.state import State

PER_MINUTE = 600  # what a person may ask
commands = typer.Typer()
router = APIRouter()
router.include_router(session, prefix="/api/v1")
router.include_router(pages)


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Let whoever signed in be somebody."""

    async def person(connection: HTTPConnection) -> Holder | None:
        caller = await caller_or_nobody(connection, state)
        return Holder(caller.name, "admin", PER_MINUTE) if caller else None

    state["people"].append(person)
    yield


async def demo(database: Database) -> dict[str, str]:
    """Somebody to be, with a random password."""
    password = secrets.token_urlsafe(9)
    await services.create_user(database, name="ada", password=password)
    return {"ada": password}


@commands.command()
def adduser(name: str) -> None:
    """Make an account. Asks for the password."""
    password = ask_password(name)
    in_database(lambda database: services.create_user(database, name=name, password=password))


@commands.command()
def passwd(name: str) -> None:
    """Give somebody a new password, and sign them out everywhere."""
    password = ask_password(name)
    in_database(lambda database: services.set_password(database, name=name, password=password))


def ask_password(name: str) -> str:
    """A password from the terminal, when both are fit to be used."""
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        TypeAdapter(tuple[Name, Password]).validate_python((name, password))
    except ValidationError as error:
        faulty = [f"{('Name', 'Password')[int(fault['loc'][0])]}: {fault['msg']}" for fault in error.errors()]
        raise refusal(*faulty) from error
    return password


extra = Extra(router=router, lifespan=lifespan, commands=commands, demo=demo, pages=(("/staff", "Staff"),))
