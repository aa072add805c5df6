"""The page of the staff, by forms alone and in a browser."""

import httpx2
from playwright.async_api import Page, expect
from sqlalchemy import delete

from app.accounts import services
from app.accounts.models import User
from app.database import Database
from app.registry import services as registry
from app.registry.files import Files
from app.settings import Settings
from tests.accounts.conftest import PASSWORD, Meet
from tests.browser.fixtures import Visit, accessible
from tests.conftest import Serve
from tests.models import times
from tests.serving.test_protocol import X, ask


async def test_who_is_not_signed_in_changes_nothing(anonymous: httpx2.AsyncClient, serve: Serve) -> None:
    name = await serve(times(2), times(3))
    for path in ("promote", "roll-back"):
        answer = await anonymous.post(f"/staff/{name}/{path}", data={"version": 2, "generation": 1})
        assert answer.status_code == 401
    assert (await anonymous.get("/live")).json()[name]["version"] == 1


async def test_one_signs_in_promotes_and_rolls_back_by_forms(
    anonymous: httpx2.AsyncClient, serve: Serve, database: Database
) -> None:
    name = await serve(times(2), times(3))
    await services.create_user(database, name="ada", password=PASSWORD)
    wrong = await anonymous.post("/staff/sign-in", data={"name": "ada", "password": "wrong"})
    assert (wrong.status_code, "The name or the password is wrong" in wrong.text) == (401, True)
    assert (await anonymous.post("/staff/sign-in", data={"name": "ada"})).status_code == 422
    answer = await anonymous.post("/staff/sign-in", data={"name": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    answer = await anonymous.post(f"/staff/{name}/promote", data={"version": 2, "generation": 1})
    assert answer.status_code == 303
    assert (await anonymous.get("/live")).json()[name]["version"] == 2
    stale = await anonymous.post(f"/staff/{name}/roll-back", data={"generation": 1})
    assert (stale.status_code, "Somebody else was faster" in stale.text) == (409, True)
    assert (await anonymous.post(f"/staff/{name}/roll-back", data={"generation": 2})).status_code == 303
    assert (await anonymous.get("/live")).json()[name]["version"] == 1
    assert (await anonymous.post(f"/staff/{name}/promote", data={"version": "²"})).status_code == 404
    assert (await anonymous.post("/staff/sign-out")).status_code == 303
    assert "Sign in" in (await anonymous.get("/staff")).text


async def test_who_signed_in_may_predict(meet: Meet, serve: Serve) -> None:
    name, ada = await serve(times(2)), await meet("ada")
    assert (await ask(ada.client, name, X)).status_code == 200


async def sign_in(page: Page, database: Database) -> None:
    await services.create_user(database, name="ada", password=PASSWORD)
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("You are ada.")).to_be_visible()


async def test_in_a_browser_with_and_without_scripts(visit: Visit, serve: Serve, database: Database) -> None:
    name = await serve(times(2), times(3))
    for scripts in (True, False):
        page = await visit("/staff", java_script_enabled=scripts)
        if scripts:
            await accessible(page)
        await page.get_by_label("Name").fill("ada")
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
        await sign_in(page, database)
        if scripts:
            await accessible(page)
        await page.get_by_role("button", name="Promote version 2").click()
        await expect(page.locator("li", has_text="Version 2").locator(".primary")).to_be_visible()
        await page.get_by_role("button", name=f"Roll back {name}").click()
        await expect(page.locator("li", has_text="Version 1").locator(".primary")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        async with database.write() as session:
            await session.execute(delete(User))


async def test_what_changed_meanwhile_is_said(
    visit: Visit, serve: Serve, database: Database, settings: Settings
) -> None:
    name = await serve(times(2), times(3))
    page = await visit("/staff")
    await sign_in(page, database)
    await registry.promote(database, Files(settings.model_folder), name=name, number=2, by="somebody")
    await page.get_by_role("button", name="Promote version 2").click()
    await expect(page.get_by_role("alert")).to_contain_text("Somebody else was faster")
