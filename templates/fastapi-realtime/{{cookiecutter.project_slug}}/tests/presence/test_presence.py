"""Who is there, who is typing: across processes, and right again after kill -9."""

import asyncio
from typing import Any

from app.presence import services
from app.presence import watch as watching
from app.settings import Settings
from tests.conftest import Meet, serving
from tests.live.fixtures import Client, Connect
from tests.live.test_following import room_id
from tests.rooms.test_rooms import make_room
from tests.test_commands import served

PATIENCE = 30.0


async def until_present(client: Client, *names: str) -> dict[str, Any]:
    """Wait until exactly these are said to be there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await client.next("present", within=PATIENCE)
            if [person["name"] for person in message["people"]] == list(names):
                return message


async def test_everybody_sees_who_comes_and_goes(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with online(ada) as hers:
        await hers.follow(room)
        await until_present(hers, "ada")
        async with online(grace) as his, online(grace) as again:
            await his.follow(room)
            await again.follow(room)
            assert (await until_present(hers, "ada", "grace"))["number"] == 2
            await until_present(his, "ada", "grace")
            await again.send(type="unsubscribe", room=room)
        await until_present(hers, "ada")


async def test_across_processes_without_a_broker(meet: Meet, online: Connect, settings: Settings) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    async with serving(settings) as elsewhere, online(ada) as hers, online(grace, at=elsewhere) as his:
        await hers.follow(room)
        async with online(ada, at=elsewhere) as hers_too:
            await hers_too.follow(room)
            await his.follow(room)
            assert (await until_present(hers, "ada", "grace"))["number"] == 2, "each once, through whatever process"
            await until_present(his, "ada", "grace")


async def test_after_kill_9_nobody_is_there_for_long(meet: Meet, online: Connect, settings: Settings) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = room_id(await make_room(ada, grace))
    with served(settings) as doomed:
        async with online(ada) as hers, online(grace, at=doomed.url) as his:
            await hers.follow(room)
            await his.follow(room)
            await until_present(hers, "ada", "grace")
            await asyncio.to_thread(doomed.kill)
            async with asyncio.timeout(services.LASTS.total_seconds() + 2 * watching.BEAT.total_seconds()):
                await until_present(hers, "ada")


async def test_typing_is_told_to_the_others_in_the_room_only(meet: Meet, online: Connect) -> None:
    ada, grace, eve = await meet("ada"), await meet("grace"), await meet("eve")
    room = room_id(await make_room(ada, grace))
    async with online(ada) as hers, online(grace) as his, online(eve) as stranger:
        await his.follow(room)
        await stranger.send(type="typing", room=room)
        await stranger.send(type="ping")
        await stranger.next("pong")
        await hers.send(type="typing", room=room)
        await hers.send(type="ping")
        await hers.next("pong")
        await hers.follow(room)
        await hers.send(type="typing", room=room)
        assert (await his.next("typing"))["who"] == {"id": str(ada.id), "name": "ada"}
        await his.send(type="ping")
        assert (await his.next("pong"))["type"] == "pong"


async def test_who_was_shown_out_is_not_there(meet: Meet, online: Connect) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    path = await make_room(ada, grace)
    async with online(ada) as hers, online(grace) as his:
        await hers.follow(room_id(path))
        await his.follow(room_id(path))
        await until_present(hers, "ada", "grace")
        await ada.client.delete(f"{path}/members/{grace.id}")
        await until_present(hers, "ada")


async def test_who_follows_many_rooms_learns_of_each_who_is_there(meet: Meet, online: Connect) -> None:
    """States replace each other room by room; they are not dropped like things for the moment."""
    ada = await meet("ada")
    rooms = {room_id(await make_room(ada)) for _ in range(40)}
    async with online(ada) as client:
        for room in rooms:
            await client.send(type="subscribe", room=room, after=0)
        told: set[str] = set()
        async with asyncio.timeout(PATIENCE):
            while told != rooms:
                told.add((await client.next("present", within=PATIENCE))["room"])
