"""The page after a backup was restored."""

from playwright.async_api import expect

from tests.browser.fixtures import Visit
from tests.browser.test_page import make_room, say
from tests.processes import Application


async def test_a_room_whose_log_is_another_one_is_loaded_anew(visit: Visit, site: Application) -> None:
    ada = await visit("ada")
    await make_room(ada)
    await say(ada, "before")
    await expect(ada.locator(".message[data-seq]")).to_have_count(1)
    site.kill()
    site.command_once("restored")
    site.start()
    await expect(ada.locator("#light")).to_have_attribute("data-state", "live")
    await say(ada, "after")
    await expect(ada.locator(".message[data-seq] .body")).to_have_text(["before", "after"])
