"""The pages for people, as people see them."""

from playwright.async_api import expect

from tests.browser.fixtures import Visit, accessible


async def test_it_says_how_to_begin(visit: Visit) -> None:
    page = await visit()
    await expect(page.get_by_role("heading", name="A token")).to_be_visible()
    await expect(page.get_by_text("python -m app token me")).to_be_visible()
    await accessible(page)


async def test_it_fits_a_phone_in_the_dark(visit: Visit) -> None:
    page = await visit(viewport={"width": 360, "height": 700}, color_scheme="dark")
    await accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_api_page_comes_from_our_own_files(visit: Visit) -> None:
    page = await visit("/docs")
    await expect(page.get_by_text("/api/v1/reservations", exact=True).first).to_be_visible()
    await page.get_by_role("button", name="Authorize").first.click()
    await expect(page.get_by_text("bearer", exact=False).first).to_be_visible()
