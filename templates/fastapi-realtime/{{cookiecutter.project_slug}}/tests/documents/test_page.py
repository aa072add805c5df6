"""The page: a document that two write."""

from playwright.async_api import Page, expect

from tests.browser.fixtures import Visit, accessible
from tests.browser.test_page import make_room, open_room
from tests.processes import Application


async def open_document(page: Page) -> None:
    await page.get_by_role("button", name="Document").click()
    await expect(page.get_by_role("textbox", name="Shared document")).to_be_focused()


async def test_two_write_one_document_one_of_them_offline(visit: Visit, site: Application) -> None:
    """The page's provider is y-websocket as it comes from npm."""
    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await open_document(ada)
    await open_document(grace)
    hers, his = ada.locator("#document"), grace.locator("#document")
    await hers.press_sequentially("middle")
    await expect(his).to_have_value("middle")
    await expect(ada.get_by_text("Also writing: grace")).to_be_visible()
    await accessible(ada)
    site.kill()
    await expect(ada.get_by_text("Offline")).to_be_visible()
    await hers.press("Home")
    await hers.press_sequentially("start ")
    await his.press("End")
    await his.press_sequentially(" end")
    site.start()
    for field in (hers, his):
        await expect(field).to_have_value("start middle end")
    site.kill()
    site.start()
    await ada.reload()
    await open_document(ada)
    await expect(hers).to_have_value("start middle end")


async def test_one_smile_becomes_another(visit: Visit) -> None:
    """They share their first half, which alone is no character."""
    ada = await visit("ada")
    await make_room(ada, "General")
    await open_document(ada)
    field = ada.locator("#document")
    for words in ("😀", "😁", "a😁b", "a😀😁b"):
        await field.fill(words)
    await ada.wait_for_timeout(300)
    await ada.reload()
    await open_document(ada)
    await expect(field).to_have_value("a😀😁b")
