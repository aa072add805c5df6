"""The site, as editors, moderators and visitors use it."""

import io
import re

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.fixtures import Visit, accessible

STORIES = "/city/rivers/stories/"
PAGES = ["/", "/city/", STORIES, f"{STORIES}number/", "/about-us/", "/search/", "/search/?q=water", "/search/?q=zebra"]


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1600, 1000), "#2a9d8f").save(out, "JPEG")
    return out.getvalue()


async def add_block(page: Page, name: str) -> None:
    await page.get_by_role("button", name="Insert a block").last.click()
    await page.get_by_role("option", name=name, exact=True).click()


async def act(page: Page, name: str) -> None:
    """One of the further actions below a page that is edited."""
    await page.get_by_role("button", name="More actions").last.click()
    await page.get_by_role("button", name=name).click()
    # To the list; what saves by itself changes the address too.
    await page.wait_for_url(re.compile(r"/admin/pages/\d+/$"))


async def status(page: Page, address: str) -> int:
    answer = await page.goto(address)
    assert answer
    return answer.status


async def test_an_editor_writes_a_moderator_publishes_and_a_visitor_reads(visit: Visit) -> None:
    editor, visitor = await visit("editor"), await visit()
    await editor.goto("/admin/pages/")
    for title in ("Magazine", "City", "Rivers", "Stories"):
        await editor.get_by_role("link", name=f"Explore child pages of '{title}'").click()
    await editor.get_by_role("link", name="Add child page").first.click()
    await editor.get_by_role("textbox", name="Title").fill("The bridge that hums")
    await editor.get_by_role("textbox", name="Introduction").fill("It hums at night.")
    await editor.get_by_role("textbox", name="Author").fill("Jonas Vey")
    await editor.get_by_role("button", name="Choose an image").first.click()
    chooser = editor.locator(".modal")
    await chooser.get_by_role("tab", name="Upload").click()
    file = {"name": "bridge.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    await chooser.get_by_role("textbox", name="Title").fill("Bridge")
    await chooser.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    await chooser.get_by_role("button", name="Upload").click()
    await chooser.wait_for(state="hidden")
    await editor.get_by_role("textbox", name="What the lead image shows").fill("A bridge at night")
    await add_block(editor, "Heading")
    await editor.locator("[name=body-0-value]").fill("What one does not see")
    await add_block(editor, "Text")
    text = editor.locator(".public-DraftEditor-content").last
    await text.click()
    await expect(text).to_be_focused()
    await editor.keyboard.type("Water finds its way.")
    await expect(text).to_have_text("Water finds its way.")
    await add_block(editor, "Quote")
    await editor.locator("[name=body-2-value-text]").fill("It hums.")
    await expect(editor.get_by_role("button", name="Publish")).to_have_count(0)
    # It saves by itself: whoever submits while the first draft is on its way would make the page twice.
    await editor.wait_for_url(re.compile(r"/edit/$"))
    await act(editor, "Submit to")

    assert await status(visitor, f"{STORIES}the-bridge-that-hums/") == 404
    moderator = await visit("moderator")
    await expect(moderator.get_by_role("heading", name="Awaiting your review")).to_be_visible()
    await moderator.get_by_role("link", name="The bridge that hums").click()
    await act(moderator, "Approve and Publish")
    assert await status(visitor, f"{STORIES}the-bridge-that-hums/") == 200
    await expect(visitor.get_by_role("heading", name="What one does not see")).to_be_visible()
    await expect(visitor.get_by_role("img", name="A bridge at night")).to_be_visible()
    await accessible(visitor)

    await moderator.get_by_role("link", name="The bridge that hums").first.click()
    await moderator.get_by_role("tab", name="Promote").click()
    await moderator.get_by_role("textbox", name="Slug").fill("a-bridge")
    await act(moderator, "Publish")
    answer = await visitor.request.get(f"{STORIES}the-bridge-that-hums/", max_redirects=0)
    assert (answer.status, answer.headers["location"].endswith(f"{STORIES}a-bridge/")) == (301, True)
    assert await status(visitor, f"{STORIES}the-bridge-that-hums/") == 200


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
async def test_every_kind_of_page_is_for_everybody(visit: Visit, scheme: str, width: int) -> None:
    page = await visit(color_scheme=scheme, viewport={"width": width, "height": 800})
    for address in PAGES:
        assert await status(page, address) == 200
        await accessible(page)
        sticks_out = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not sticks_out, address
    assert await status(page, "/nothing/") == 404
    await accessible(page)


async def test_everything_works_without_scripts(visit: Visit) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto("/")
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="City").click()
    await page.get_by_role("main").get_by_role("link", name="Rivers").click()
    await page.get_by_role("searchbox", name="Search").fill("water")
    await page.keyboard.press("Enter")
    await page.get_by_role("main").get_by_role("link", name="Number").first.click()
    way = page.get_by_role("navigation", name="Where you are").get_by_role("listitem")
    await expect(way).to_have_text(["Magazine", "City", "Rivers", "Stories", re.compile("Number")])


async def test_with_the_keyboard_one_gets_to_the_text_and_into_the_navigation(visit: Visit) -> None:
    page = await visit()
    await page.goto(f"{STORIES}number/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the text")).to_be_in_viewport()
    for _ in range(3):
        await page.keyboard.press("Tab")
    second = page.get_by_role("navigation", name="Main").get_by_role("link", name="Stories")
    await expect(second).to_be_focused()
    await expect(second).to_be_visible()
    await page.get_by_role("link", name="Skip to the text").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_who_may_edit_a_page_is_led_there_from_it(visit: Visit) -> None:
    editor = await visit("editor")
    await editor.goto("/about-us/")
    await editor.get_by_role("link", name="Edit this page").click()
    await expect(editor.get_by_role("textbox", name="Title")).to_have_value("About us")
