"""The registry over HTTP."""

import json
from typing import Any

import httpx2
import pytest

from app.settings import Settings
from tests.conftest import PATIENCE, Connect, Serve, serving
from tests.models import Made, logarithm, times

URL = "/api/v1/models"


async def put(client: httpx2.AsyncClient, made: Made) -> None:
    answer = await client.put(f"/api/v1/files/{made.sha256}", content=made.content)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"size": len(made.content)}


async def register(client: httpx2.AsyncClient, name: str, made: Made) -> httpx2.Response:
    await put(client, made)
    card = json.loads(made.card.model_dump_json(exclude_defaults=True))
    return await client.post(f"{URL}/{name}/versions", json={"sha256": made.sha256, "card": card})


CHANGES = [
    ("PUT", f"/api/v1/files/{'0' * 64}", None),
    ("POST", f"{URL}/x/versions", {"sha256": "0" * 64}),
    ("POST", f"{URL}/x/promote", {"version": 1}),
    ("POST", f"{URL}/x/roll-back", {}),
]
QUESTIONS = [("GET", URL, None), ("GET", f"{URL}/x/versions", None), ("GET", f"{URL}/x/versions/1", None)]


@pytest.mark.parametrize(("method", "path", "body"), [*CHANGES, *QUESTIONS])
async def test_nobody_gets_in_without_a_key(anonymous: httpx2.AsyncClient, method: str, path: str, body: Any) -> None:
    answer = await anonymous.request(method, path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/not-signed-in")


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_a_key_for_predictions_changes_nothing(program: Connect, method: str, path: str, body: Any) -> None:
    answer = await (await program("predict")).request(method, path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-for-this")


async def test_a_version_is_registered_promoted_and_rolled_back(program: Connect) -> None:
    admin = await program("admin")
    for number, made in enumerate((times(2), times(3)), 1):
        answer = await register(admin, "walk", made)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["number"], answer.json()["stage"]) == (number, "candidate")
    first = (await admin.post(f"{URL}/walk/promote", json={"version": 1})).json()
    assert (first["generation"], first["number"], first["replaced"]) == (1, 1, None)
    second = (await admin.post(f"{URL}/walk/promote", json={"version": 2, "generation": 1})).json()
    assert (second["generation"], second["number"], second["replaced"]) == (2, 2, 1)
    assert second["by"].startswith("key ")
    stages = [(each["number"], each["stage"]) for each in (await admin.get(f"{URL}/walk/versions")).json()["items"]]
    assert stages == [(2, "primary"), (1, "retired")]
    back = (await admin.post(f"{URL}/walk/roll-back", json={})).json()
    assert (back["generation"], back["number"], back["replaced"]) == (3, 1, 2)
    (model,) = (await admin.get(URL)).json()["items"]
    assert model == {"name": "walk", "generation": 3, "served": True, "primary": 1}


async def test_the_same_file_and_card_are_the_same_version(program: Connect) -> None:
    admin = await program("admin")
    numbers = [(await register(admin, "same", times(2))).json()["number"] for _ in range(2)]
    assert numbers == [1, 1]


async def test_the_same_file_with_another_card_is_refused(program: Connect) -> None:
    admin, made = await program("admin"), times(2)
    await register(admin, "same", made)
    other = Made(made.content, made.card.model_copy(update={"description": "something else"}))
    answer = await register(admin, "same", other)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/another-card")


async def test_a_model_that_fails_its_check_is_no_version(program: Connect) -> None:
    admin = await program("admin")
    answer = await register(admin, "bad", Made(times(2).content, times(3).card))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-model")
    assert (await admin.get(URL)).json()["items"] == []


async def test_a_file_that_is_not_what_its_name_says_is_not_kept(program: Connect, settings: Settings) -> None:
    admin, before = await program("admin"), set(settings.model_folder.iterdir())
    answer = await admin.put(f"/api/v1/files/{'a' * 64}", content=b"something")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/wrong-digest")
    assert set(settings.model_folder.iterdir()) == before, "nothing is left, and nothing half"


@pytest.mark.parametrize("name", ["A" * 64, "..%2f..%2fetc", "a" * 63, "g" * 64])
async def test_a_name_that_is_no_digest_is_not_found(program: Connect, name: str) -> None:
    assert (await (await program("admin")).put(f"/api/v1/files/{name}", content=b"x")).status_code == 404


async def test_a_version_of_a_file_that_was_never_put_is_refused(program: Connect) -> None:
    admin, card = await program("admin"), json.loads(times(7).card.model_dump_json(exclude_defaults=True))
    answer = await admin.post(f"{URL}/x/versions", json={"sha256": "b" * 64, "card": card})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/file-not-there")


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("nothing/promote", {"version": 1}, 404, "model-not-found"),
        ("one/promote", {"version": 2}, 404, "version-not-found"),
        ("one/promote", {"version": 1}, 409, "already-primary"),
        ("one/promote", {"version": 1, "generation": 7}, 409, "overtaken"),
        ("one/promote", {"version": "1"}, 422, "invalid"),
        ("one/roll-back", {}, 409, "nothing-before"),
        ("nothing/roll-back", {}, 409, "nothing-before"),
    ],
)
async def test_a_change_that_cannot_be_says_why(
    program: Connect, serve: Serve, path: str, body: Any, status: int, kind: str
) -> None:
    await serve(times(2), name="one")
    answer = await (await program("admin")).post(f"{URL}/{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")


async def test_lists_have_pages(program: Connect, serve: Serve) -> None:
    client = await program()
    await serve(*(times(n) for n in range(2, 7)), name="a", promote=False)
    await serve(logarithm(), name="b", promote=False)

    async def all_of(path: str, key: str) -> list[Any]:
        seen, cursor = [], ""
        while True:
            page = (await client.get(f"{path}?limit=2{cursor}")).json()
            seen += [each[key] for each in page["items"]]
            if page["next"] is None:
                return seen
            cursor = f"&cursor={page['next']}"

    assert await all_of(f"{URL}/a/versions", "number") == [5, 4, 3, 2, 1]
    assert await all_of(URL, "name") == ["a", "b"]
    assert (await client.get(f"{URL}/nothing/versions")).status_code == 404


async def test_a_version_has_its_card(program: Connect, serve: Serve) -> None:
    await serve(times(2), name="a", promote=False)
    version = (await (await program()).get(f"{URL}/a/versions/1")).json()
    assert version["sha256"] == times(2).sha256
    assert version["card"]["inputs"][0]["name"] == "x"


async def test_a_field_error_says_where_and_why(program: Connect) -> None:
    admin = await program("admin")
    answer = await admin.post(f"{URL}/x/promote", json={"version": "7", "scope": "all"})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"#/version", "#/scope"}


async def test_a_parameter_error_names_the_parameter(program: Connect) -> None:
    answer = await (await program()).get(f"{URL}?limit=101")
    assert [error["parameter"] for error in answer.json()["errors"]] == ["limit"]


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"text"', b"\xff\xfe", b'{"version": "\\ud800"}'])
async def test_garbage_is_a_problem(program: Connect, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await (await program("admin")).post(f"{URL}/x/promote", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_database_that_is_gone_is_503(settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://nobody:secret@127.0.0.1:1/nothing"})
    async with serving(gone) as address, httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        answer = await client.get(URL, headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("told", [True, False])
async def test_a_long_body_is_refused(program: Connect, told: bool) -> None:
    async def drip() -> object:
        for _ in range(1030):
            yield b" " * 1024

    content = b" " * 1030 * 1024 if told else drip()
    answer = await (await program("admin")).post(f"{URL}/x/versions", content=content)  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert str(2**20) in answer.json()["detail"]
