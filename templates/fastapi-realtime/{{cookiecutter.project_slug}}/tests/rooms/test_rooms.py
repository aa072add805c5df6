"""Rooms, and who is in them."""

import asyncio
import base64
import uuid

import httpx2

from tests.conftest import Meet, Person

URL = "/api/v1/rooms"


async def make_room(owner: Person, *members: Person, name: str = "General") -> str:
    """A room with these people, as its path."""
    answer = await owner.client.post(URL, json={"name": name})
    assert answer.status_code == 201, answer.text
    path = f"{URL}/{answer.json()['id']}"
    for member in members:
        assert (await owner.client.post(f"{path}/members", json={"name": member.name})).status_code == 201
    return path


async def names(person: Person, path: str) -> list[str]:
    return [member["name"] for member in (await person.client.get(f"{path}/members")).json()["items"]]


async def test_nobody_sees_or_makes_rooms(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get(URL)).status_code == 401
    assert (await anonymous.post(URL, json={"name": "General"})).status_code == 401


async def test_for_who_is_not_in_it_a_room_does_not_exist(meet: Meet) -> None:
    ada, eve = await meet("ada"), await meet("eve")
    room = await make_room(ada)
    missing = f"{URL}/{uuid.uuid4()}"
    for path in ("", "/members", "/messages"):
        real, none = await eve.client.get(room + path), await eve.client.get(missing + path)
        assert real.status_code == none.status_code == 404
        assert real.json() == none.json()
    assert (await eve.client.post(f"{room}/members", json={"name": "eve"})).status_code == 404
    assert (await eve.client.get(URL)).json()["items"] == []


async def test_who_makes_a_room_owns_it(meet: Meet) -> None:
    ada = await meet("ada")
    room = (await ada.client.get(await make_room(ada))).json()
    assert (room["name"], room["role"], room["seq"]) == ("General", "owner", 1)


async def test_an_owner_lets_people_in(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    assert await names(grace, room) == ["ada", "grace"]
    assert (await grace.client.get(room)).json()["role"] == "member"


async def test_a_member_does_not(meet: Meet) -> None:
    ada, grace, _eve = await meet("ada"), await meet("grace"), await meet("eve")
    room = await make_room(ada, grace)
    answer = await grace.client.post(f"{room}/members", json={"name": "eve"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/owners-only")
    assert (await grace.client.delete(f"{room}/members/{ada.id}")).status_code == 403


async def test_who_is_in_cannot_be_let_in_and_who_is_nobody_neither(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    again = await ada.client.post(f"{room}/members", json={"name": "grace"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-member")
    nobody = await ada.client.post(f"{room}/members", json={"name": "nobody"})
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/user-not-found")
    assert (await ada.client.get(room)).json()["seq"] == 2, "what was refused took no number"


async def test_an_owner_shows_people_out(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    assert (await ada.client.delete(f"{room}/members/{grace.id}")).status_code == 204
    assert (await grace.client.get(room)).status_code == 404
    assert (await ada.client.delete(f"{room}/members/{grace.id}")).status_code == 404


async def test_anybody_may_leave_but_not_the_last_owner(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    assert (await grace.client.delete(f"{room}/members/{grace.id}")).status_code == 204
    answer = await ada.client.delete(f"{room}/members/{ada.id}")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/last-owner")
    assert await names(ada, room) == ["ada"], "a refused departure leaves nothing half done"


async def test_an_owner_may_leave_when_there_is_another(meet: Meet) -> None:
    ada, grace, eve = await meet("ada"), await meet("grace"), await meet("eve")
    room = await make_room(ada, grace)
    assert (await grace.client.patch(f"{room}/members/{grace.id}", json={"role": "owner"})).status_code == 403
    assert (await ada.client.patch(f"{room}/members/{eve.id}", json={"role": "owner"})).status_code == 404
    assert (await ada.client.patch(f"{room}/members/{ada.id}", json={"role": "member"})).status_code == 409
    raised = await ada.client.patch(f"{room}/members/{grace.id}", json={"role": "owner"})
    assert (raised.status_code, raised.json()["role"]) == (200, "owner")
    assert (await ada.client.delete(f"{room}/members/{ada.id}")).status_code == 204
    assert await names(grace, room) == ["grace"]


async def test_two_owners_who_leave_at_once_do_not_both(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada, grace)
    await ada.client.patch(f"{room}/members/{grace.id}", json={"role": "owner"})
    answers = await asyncio.gather(*(each.client.delete(f"{room}/members/{each.id}") for each in (ada, grace)))
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_pages_of_members_refuse_half_a_letter(meet: Meet) -> None:
    ada = await meet("ada")
    room = await make_room(ada)
    for key in (r'["\ud800"]', r'["a\u0000"]'):
        cursor = base64.urlsafe_b64encode(key.encode()).decode()
        assert (await ada.client.get(f"{room}/members", params={"cursor": cursor})).status_code == 400


async def test_one_person_let_in_by_many_at_once_is_in_once(meet: Meet) -> None:
    ada, grace = await meet("ada"), await meet("grace")
    room = await make_room(ada)
    answers = await asyncio.gather(*(ada.client.post(f"{room}/members", json={"name": "grace"}) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert (await grace.client.get(room)).json()["seq"] == 2


async def test_pages_of_rooms_have_each_once(meet: Meet) -> None:
    ada = await meet("ada")
    for name in ("b", "a", "c", "a", "b"):
        await make_room(ada, name=name)
    seen, cursor = [], ""
    while True:
        page = (await ada.client.get(f"{URL}?limit=2{cursor}")).json()
        seen += [(room["name"], room["id"]) for room in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [name for name, _ in seen] == ["a", "a", "b", "b", "c"]
    assert len(set(seen)) == 5


async def test_pages_of_members_have_each_once(meet: Meet) -> None:
    ada, grace, linus = await meet("ada"), await meet("grace"), await meet("linus")
    room = await make_room(ada, linus, grace)
    first = (await ada.client.get(f"{room}/members?limit=2")).json()
    second = (await ada.client.get(f"{room}/members", params={"limit": 2, "cursor": first["next"]})).json()
    assert [member["name"] for member in first["items"] + second["items"]] == ["ada", "grace", "linus"]
    assert second["next"] is None


async def test_a_room_needs_a_name(meet: Meet) -> None:
    ada = await meet("ada")
    for name in ("", "   ", "x" * 65, 7, "a\x00b"):
        assert (await ada.client.post(URL, json={"name": name})).status_code == 422
