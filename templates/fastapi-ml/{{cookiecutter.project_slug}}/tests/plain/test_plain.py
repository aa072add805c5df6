"""Predictions by plain JSON and by a form."""

import httpx2
import pytest
from playwright.async_api import expect

from app.database import Database
from app.plain.errors import NotPlain
from app.plain.services import fields
from app.settings import Settings
from tests.browser.fixtures import Visit, accessible
from tests.conftest import Connect, Serve, a_key
from tests.models import KINDS, ROW, every_datatype, lookup, times, trained


def url(name: str) -> str:
    return f"/api/v1/models/{name}/predict"


@pytest.mark.parametrize("name", ["_x", "model_config", "json"])
def test_an_input_that_no_member_can_be_called_is_asked_by_the_protocol(name: str) -> None:
    card = times(2).card
    check = card.check.model_copy(update={"inputs": {name: card.check.inputs["x"]}})
    named = card.model_copy(
        update={"inputs": [card.inputs[0].model_copy(update={"name": name})], "check": check, "statistics": {}}
    )
    with pytest.raises(NotPlain):
        fields(named)


async def test_nobody_predicts_without_a_key(anonymous: httpx2.AsyncClient, serve: Serve) -> None:
    name = await serve(trained("linear"))
    assert (await anonymous.post(url(name), json=ROW)).status_code == 401
    assert (await anonymous.get("/try")).status_code == 401
    page = await anonymous.post(f"/try/{name}", data={})
    assert (page.status_code, "Sign in first" in page.text) == (401, True)


async def test_a_row_with_named_fields_is_answered(program: Connect, serve: Serve) -> None:
    name = await serve(trained("linear"))
    answer = (await (await program()).post(url(name), json=ROW)).json()
    assert (answer["model"], answer["version"], answer["outputs"]["late"]) == (name, 1, 0)
    assert sum(answer["outputs"]["probability"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"carrier": "XX"}, "#/carrier", "Input should be '9E'"),
        ({"carrier": 7}, "#/carrier", "Input should be"),
        ({"hour": 24.5}, "#/hour", "less than or equal to 24"),
        ({"hour": "17.5"}, "#/hour", "valid number"),
        ({"miles": True}, "#/miles", "valid number"),
        ({"gate": "A1"}, "#/gate", "not permitted"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    program: Connect, serve: Serve, change: dict[str, object], pointer: str, words: str
) -> None:
    name = await serve(trained("linear"))
    answer = await (await program()).post(url(name), json=ROW | change)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert words in fault["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"hour": NaN}', b"\xff"])
async def test_garbage_is_a_problem(program: Connect, serve: Serve, body: bytes) -> None:
    name = await serve(trained("linear"))
    answer = await (await program()).post(url(name), content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_vectors_are_lists_and_numbers_keep_their_kind(program: Connect, serve: Serve) -> None:
    client = await program()
    name = await serve(times(2))
    assert (await client.post(url(name), json={"x": [1, 2.5]})).json()["outputs"] == {"y": [2.0, 5.0]}
    assert (await client.post(url(name), json={"x": [1]})).status_code == 422
    name = await serve(lookup())
    assert (await client.post(url(name), json={"x": 2})).json()["outputs"] == {"y": 30.0}
    assert (await client.post(url(name), json={"x": 2.5})).status_code == 422


async def test_a_number_that_the_datatype_does_not_hold_is_refused(program: Connect, serve: Serve) -> None:
    name = await serve(every_datatype())
    row: dict[str, object] = {f"in_{kind}": [0, 1] for kind in KINDS}
    row |= {"in_BOOL": [True, False], "in_BYTES": ["a", "b"]}
    client = await program()
    assert (await client.post(url(name), json=row)).status_code == 200
    for change in ({"in_UINT8": [256, 0]}, {"in_UINT64": [-1, 0]}, {"in_INT64": [2**63, 0]}, {"in_FP16": [1e6, 0]}):
        assert (await client.post(url(name), json=row | change)).status_code in (400, 422), change


async def test_openapi_describes_each_model_that_is_served(anonymous: httpx2.AsyncClient, serve: Serve) -> None:
    name = await serve(trained("linear"))
    paths = (await anonymous.get("/api/v1/openapi.json")).json()["paths"]
    schema = paths[url(name)]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == list(ROW)
    assert schema["properties"]["hour"]["maximum"] == 24
    assert "In hours" in schema["properties"]["hour"]["description"]
    assert "IAH" in schema["properties"]["destination"]["enum"]


async def test_the_form_tries_a_prediction_with_and_without_scripts(
    visit: Visit, serve: Serve, database: Database, settings: Settings
) -> None:
    name = await serve(trained("linear"))
    headers = {"Authorization": f"Bearer {await a_key(database, settings)}"}
    for scripts in (True, False):
        page = await visit(f"/try?name={name}", java_script_enabled=scripts, extra_http_headers=headers)
        await page.get_by_label("The airline").select_option("UA")
        await page.get_by_label("leaves from").select_option("EWR")
        await page.get_by_label("goes to").select_option("IAH")
        await page.get_by_label("The day on").select_option("Fri")
        await page.get_by_label("by the timetable").fill("17.5")
        await page.get_by_label("How far").fill("far")
        await page.get_by_role("button", name="Predict").click()
        await expect(page.get_by_role("alert")).to_contain_text("valid number")
        await page.get_by_label("How far").fill("1400")
        await page.get_by_role("button", name="Predict").click()
        await expect(page.get_by_role("status")).to_contain_text("0.671, 0.329")
        if scripts:
            await accessible(page)
