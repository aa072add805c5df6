"""Editing and deleting: events in the same log, once each, and of what was deleted no word stays."""

import uuid
from contextlib import AsyncExitStack

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from app.database import Database
from app.live import hub, socket
from app.rooms.models import Event
from tests.conftest import Meet, Person
from tests.live.fixtures import Client, Connect
from tests.live.test_any_plan import STEPS, Walk, plans
from tests.live.test_following import room_id
from tests.messages.test_messages import say
from tests.rooms.test_rooms import make_room


def new_id() -> str:
    return uuid.uuid4().hex


async def edit(person: Person, path: str, seq: int, body: str, client_id: str | None = None) -> httpx2.Response:
    changed = {"client_id": client_id or new_id(), "body": body}
    return await person.client.patch(f"{path}/messages/{seq}", json=changed)


async def delete(person: Person, path: str, seq: int, client_id: str | None = None) -> httpx2.Response:
    return await person.client.delete(f"{path}/messages/{seq}", params={"client_id": client_id or new_id()})


async def bodies(person: Person, path: str) -> dict[int, str]:
    items = (await person.client.get(f"{path}/messages")).json()["items"]
    return {item["seq"]: item["body"] for item in items if item["kind"] == "message"}


async def test_nobody_and_a_stranger_change_nothing(anonymous: httpx2.AsyncClient, meet: Meet) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    path = await make_room(ada)
    await say(ada, path, "mine")
    changed = {"client_id": new_id(), "body": "no"}
    assert (await anonymous.patch(f"{path}/messages/2", json=changed)).status_code == 401
    assert (await anonymous.delete(f"{path}/messages/2?client_id={new_id()}")).status_code == 401
    assert (await edit(eve, path, 2, "yours")).status_code == 404
    assert (await delete(eve, path, 2)).status_code == 404
    assert await bodies(ada, path) == {2: "mine"}


async def test_only_the_author_edits_and_an_owner_may_delete(meet: Meet) -> None:
    ada, grace, linus = await meet("ada"), await meet("grace"), await meet("linus")
    path = await make_room(ada, grace, linus)
    await say(grace, path, "hers")
    for other in (ada, linus):
        assert (await edit(other, path, 4, "changed")).json()["type"] == "/problems/authors-only"
    assert (await delete(linus, path, 4)).status_code == 403
    assert (await edit(grace, path, 4, "changed")).json()["seq"] == 5
    assert await bodies(ada, path) == {4: "changed"}
    assert (await delete(ada, path, 4)).json()["seq"] == 6


async def test_an_edit_reaches_everybody_and_history_has_the_newest_words(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with online(ada) as hers, online(grace) as his:
        await his.follow(room_id(path), after=2)
        seq = await hers.say(room_id(path), "wrong")
        await hers.send(type="edit", room=room_id(path), client_id=new_id(), target=seq, body="first")
        assert (await hers.next("ack"))["receipt"]["seq"] == 4
        await his.next("event")
        event = (await his.next("event"))["event"]
    assert (event["kind"], event["target"], event["body"]) == ("edited", 3, "first")
    items = (await grace.client.get(f"{path}/messages")).json()["items"]
    assert [(item["seq"], item["body"], bool(item["edited_at"])) for item in items[:2]] == [
        (4, "first", False),
        (3, "first", True),
    ]


async def test_of_a_deleted_message_no_word_stays(meet: Meet, online: Connect, database: Database) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    await say(ada, path, "secret one")
    await edit(ada, path, 2, "secret two")
    async with online(ada) as client:
        await client.send(type="delete", room=room_id(path), client_id=new_id(), target=2)
        assert (await client.next("ack"))["receipt"]["seq"] == 4
    async with database.read() as session:
        assert "secret" not in str((await session.scalars(select(Event.body))).all())
    assert (await edit(ada, path, 2, "back")).json()["type"] == "/problems/message-not-found"
    assert (await delete(ada, path, 2)).status_code == 404


async def test_deleted_words_are_not_in_the_ring_either(meet: Meet, online: Connect) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    async with online(ada) as first:
        await first.follow(room_id(path))
        await first.say(room_id(path), "a secret")
        await first.until(2)
        assert (await delete(ada, path, 2)).status_code == 200
        await first.until(3)
        async with online(ada) as late:
            await late.follow(room_id(path), after=1)
            await late.until(3)
    assert late.bodies == [""]


@pytest.mark.parametrize("target", [1, 99])
async def test_what_is_no_message_cannot_be_changed(meet: Meet, target: int) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    assert (await edit(ada, path, target, "words")).status_code == 404
    assert (await delete(ada, path, target)).status_code == 404
    assert (await say(ada, path, "next")).json()["seq"] == 2, "what was refused took no number"


async def test_a_retry_changes_nothing_more(meet: Meet) -> None:
    ada = await meet("ada")
    path = await make_room(ada)
    said = {"client_id": "said-once", "body": "first"}
    await ada.client.post(f"{path}/messages", json=said)
    assert [(await edit(ada, path, 2, "second", "edit-one")).json()["seq"] for _ in range(3)] == [3, 3, 3]
    assert (await ada.client.post(f"{path}/messages", json=said)).json()["seq"] == 2, "edited since, still the same"
    assert (await edit(ada, path, 2, "other words", "edit-one")).json()["type"] == "/problems/client-id-reused"
    assert (await edit(ada, path, 2, "second", "said-once")).status_code == 409
    assert [(await delete(ada, path, 2, "gone-one")).json()["seq"] for _ in range(2)] == [4, 4]
    assert (await ada.client.post(f"{path}/messages", json=said)).json()["seq"] == 2


class EditingWalk(Walk):
    """Three clients who change what they said, too."""

    async def edit(self, client: Client, _: int) -> None:
        if self.last_id:
            await client.send(type="edit", room=self.room, client_id=new_id(), target=self.said, body="others")
            self.committed = int((await client.next("ack"))["receipt"]["seq"])


@given(plan=plans(*STEPS, "edit"))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_plan_with_edits_ends_with_everything_applied_once(
    meet: Meet, online: Connect, monkeypatch: pytest.MonkeyPatch, plan: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(hub, "RING", 2)
    monkeypatch.setattr(hub, "PAGE", 3)
    monkeypatch.setattr(socket, "BURST", 1_000_000)
    ada = await meet(f"ada-{new_id()[:12]}")
    async with AsyncExitStack() as lines:
        await EditingWalk(room_id(await make_room(ada)), ada, online, lines).carry_out(plan)
