"""The page: other words, and none."""

from playwright.async_api import expect

from tests.browser.fixtures import Visit, accessible
from tests.browser.test_page import make_room, open_room, say


async def test_a_message_is_edited_and_deleted_for_everybody(visit: Visit) -> None:
    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await say(ada, "wrong")
    await say(ada, "second")
    await expect(grace.locator(".body")).to_have_text(["wrong", "second"])
    await expect(grace.get_by_role("button", name="Edit: wrong")).to_have_count(0)
    field = ada.get_by_role("textbox", name="Message")
    await field.fill("half a draft")
    await ada.get_by_role("button", name="Edit: wrong").focus()
    await ada.keyboard.press("Enter")
    await expect(field).to_have_value("wrong")
    await ada.keyboard.press("Escape")
    await expect(field).to_have_value("half a draft")
    await ada.get_by_role("button", name="Edit: wrong").focus()
    await ada.keyboard.press("Enter")
    await expect(ada.get_by_text("Editing a message")).to_be_visible()
    await accessible(ada)
    await field.fill("first")
    await ada.keyboard.press("Enter")
    await expect(field).to_have_value("half a draft")
    for page in (ada, grace):
        await expect(page.locator(".body")).to_have_text(["first (edited)", "second"])
    await ada.get_by_role("button", name="Delete: second").focus()
    await ada.keyboard.press("Enter")
    for page in (ada, grace):
        await expect(page.locator(".body")).to_have_text(["first (edited)", "This message was deleted."])
        await accessible(page)
    await grace.reload()
    await expect(grace.locator(".body")).to_have_text(["first (edited)", "This message was deleted."])
