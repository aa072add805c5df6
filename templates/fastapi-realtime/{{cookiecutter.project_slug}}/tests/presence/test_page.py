"""The page: who is here, and who types."""

from playwright.async_api import expect

from tests.browser.fixtures import Visit, accessible
from tests.browser.test_page import make_room, open_room


async def test_the_page_shows_who_is_here_and_who_types(visit: Visit) -> None:
    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await expect(ada.get_by_role("img", name="Here now: ada, grace")).to_be_visible()
    await ada.get_by_role("textbox", name="Message").press_sequentially("hello")
    await expect(grace.get_by_text("ada is typing")).to_be_visible()
    await accessible(grace)
    await grace.close()
    await expect(ada.get_by_role("img", name="Here now: ada", exact=True)).to_be_visible()
