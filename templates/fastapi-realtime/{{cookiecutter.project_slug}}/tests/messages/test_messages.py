"""Saying something once, and reading what was said."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy.event import listen, remove

from app.database import Database
from app.messages import services
from app.pagination import encode
from tests.conftest import Meet, Person
from tests.rooms.test_rooms import make_room


async def say(person: Person, room: str, body: str, client_id: str = "") -> httpx2.Response:
    message = {"client_id": client_id or uuid.uuid4().hex, "body": body}
    return await person.client.post(f"{room}/messages", json=message)


async def test_nobody_says_or_reads_anything(meet: Meet, anonymous: httpx2.AsyncClient) -> None:
    room = await make_room(await meet("ada"))
    assert (await anonymous.get(f"{room}/messages")).status_code == 401
    assert (await anonymous.post(f"{room}/messages", json={})).status_code == 401


async def test_who_is_not_in_the_room_says_nothing(meet: Meet) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    room = await make_room(ada)
    assert (await say(eve, room, "hello")).status_code == 404
    assert (await ada.client.get(room)).json()["seq"] == 1


async def test_a_message_gets_the_next_number(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    answers = [await say(ada, room, body) for body in ("one", "two")]
    assert [answer.json()["seq"] for answer in answers] == [2, 3]
    newest = (await ada.client.get(f"{room}/messages")).json()["items"][0]
    assert (newest["seq"], newest["kind"], newest["body"], newest["actor"]["name"]) == (3, "message", "two", "ada")


async def test_the_same_message_again_is_the_same_message(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    first, second = await say(ada, room, "once", "the-same-id"), await say(ada, room, "once", "the-same-id")
    assert first.json() == second.json()
    assert (await ada.client.get(room)).json()["seq"] == 2


async def test_one_message_sent_by_twenty_at_once_is_one_message(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    answers = await asyncio.gather(*(say(ada, room, "once", "the-same-id") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["seq"] for answer in answers} == {2}
    assert (await say(ada, room, "next")).json()["seq"] == 3, "the repeated ones took no number"


async def test_other_words_under_the_same_id_are_refused(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    await say(ada, room, "once", "the-same-id")
    answer = await say(ada, room, "twice", "the-same-id")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/client-id-reused")


async def test_an_id_is_ones_own(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    answers = [await say(person, room, "mine", "the-same-id") for person in (ada, grace)]
    assert [answer.json()["seq"] for answer in answers] == [3, 4]


@pytest.mark.parametrize(
    "message",
    [
        {"client_id": "client-1", "body": ""},
        {"client_id": "client-1", "body": "  \n "},
        {"client_id": "client-1", "body": "x" * 4001},
        {"client_id": "client-1", "body": "a\x00b"},
        {"client_id": "client-1", "body": 7},
        {"client_id": "short", "body": "x"},
        {"client_id": "with spaces in it", "body": "x"},
        {"client_id": "client-1", "body": "x", "seq": 1},
        {"body": "x"},
    ],
)
async def test_what_is_no_message_is_refused(meet: Meet, message: dict[str, object]) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    assert (await ada.client.post(f"{room}/messages", json=message)).status_code == 422
    assert (await ada.client.get(room)).json()["seq"] == 1


async def test_text_comes_back_as_it_was(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    body = "<script>alert(1)</script>\n  𝄞 e\u0301 \u202e rtl {{ 7*7 }}"
    await say(ada, room, body, "client-1")
    assert (await ada.client.get(f"{room}/messages")).json()["items"][0]["body"] == body


async def test_history_is_stable_while_messages_come(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    for number in range(2, 12):
        await say(ada, room, f"number {number}")
    seen, cursor = [], None
    while True:
        query = f"limit=4&cursor={cursor}" if cursor else "limit=4"
        page = (await ada.client.get(f"{room}/messages?{query}")).json()
        seen += [item["seq"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        await say(ada, room, f"meanwhile {len(seen)}")
    assert seen == list(range(11, 0, -1))


@pytest.mark.parametrize("key", [[10**30], [-1], ["1"], [1, 2], [None]])
async def test_a_cursor_that_is_not_ours_is_refused(meet: Meet, key: list[Any]) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    answer = await ada.client.get(f"{room}/messages", params={"cursor": encode(key)})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-cursor")


@pytest.mark.parametrize("messages", [2, 60])
async def test_a_page_costs_the_same_however_much_was_said(meet: Meet, database: Database, messages: int) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    for number in range(messages):
        await say(ada, room, f"number {number}")
    with counted(database) as statements:
        await services.history(
            database, room_id=uuid.UUID(room.rpartition("/")[2]), user_id=ada.id, before=None, limit=51
        )
    # 1. the membership, with its room  2. the events, with the people in them
    assert len(statements) == 2


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent to the database within the block."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:  # noqa: ANN401
        statements.append(arguments[2])

    listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield statements
    remove(database.engine.sync_engine, "before_cursor_execute", note)
