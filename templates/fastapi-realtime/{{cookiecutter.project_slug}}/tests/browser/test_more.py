"""The page, further: other words, lines without sockets, who is there, and a document written by two."""

from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.conftest import Visit, accessible
from tests.browser.test_page import make_room, open_room, said, say
from tests.processes import Application


async def test_a_message_is_edited_and_deleted_for_everybody(visit: Visit) -> None:
    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await say(ada, "wrong")
    await say(ada, "second")
    await expect(grace.locator(".body")).to_have_text(["wrong", "second"])
    await expect(grace.get_by_role("button", name="Edit: wrong")).to_have_count(0)
    await ada.get_by_role("button", name="Edit: wrong").focus()
    await ada.keyboard.press("Enter")
    await expect(ada.get_by_text("Editing a message")).to_be_visible()
    await accessible(ada)
    await ada.get_by_role("textbox", name="Message").fill("first")
    await ada.keyboard.press("Enter")
    for page in (ada, grace):
        await expect(page.locator(".body")).to_have_text(["first (edited)", "second"])
    await ada.get_by_role("button", name="Delete: second").focus()
    await ada.keyboard.press("Enter")
    for page in (ada, grace):
        await expect(page.locator(".body")).to_have_text(["first (edited)", "This message was deleted."])
        await accessible(page)
    await grace.reload()
    await expect(grace.locator(".body")).to_have_text(["first (edited)", "This message was deleted."])


async def test_where_sockets_do_not_get_through_the_page_takes_a_stream(visit: Visit) -> None:
    async def refuse(route: WebSocketRoute) -> None:
        await route.close(code=1011)

    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await grace.route_web_socket("**/ws", refuse)
    await open_room(grace)
    await expect(grace.locator("#light")).to_have_attribute("data-state", "live", timeout=30_000)
    await say(ada, "by socket")
    await expect(grace.locator(".body")).to_have_text(["by socket"])
    await say(grace, "by stream")
    await expect(ada.locator(".body")).to_have_text(["by socket", "by stream"])
    await expect(grace.locator(".waiting")).to_have_count(0)
    assert await said(grace) == ["by socket", "by stream"]


async def test_the_page_shows_who_is_here_and_who_types(visit: Visit) -> None:
    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await expect(ada.get_by_role("img", name="Here now: ada, grace")).to_be_visible(timeout=15_000)
    await ada.get_by_role("textbox", name="Message").press_sequentially("hello")
    await expect(grace.get_by_text("ada is typing")).to_be_visible()
    await accessible(grace)
    await grace.close()
    await expect(ada.get_by_role("img", name="Here now: ada", exact=True)).to_be_visible(timeout=15_000)


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
    await expect(ada.get_by_text("Offline")).to_be_visible(timeout=15_000)
    await hers.press("Home")
    await hers.press_sequentially("start ")
    await his.press("End")
    await his.press_sequentially(" end")
    site.start()
    for field in (hers, his):
        await expect(field).to_have_value("start middle end", timeout=30_000)
    site.kill()
    site.start()
    await ada.reload()
    await open_document(ada)
    await expect(hers).to_have_value("start middle end")


async def test_a_room_whose_log_is_another_one_is_loaded_anew(visit: Visit, site: Application) -> None:
    ada = await visit("ada")
    await make_room(ada)
    await say(ada, "before")
    await expect(ada.locator(".message[data-seq]")).to_have_count(1)
    site.kill()
    site.command_once("restored")
    site.start()
    await expect(ada.locator("#light")).to_have_attribute("data-state", "live", timeout=20_000)
    await say(ada, "after")
    await expect(ada.locator(".message[data-seq] .body")).to_have_text(["before", "after"])
