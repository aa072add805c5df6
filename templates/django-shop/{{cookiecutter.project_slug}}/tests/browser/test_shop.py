"""The shop in a browser, as customers and those who work there use it."""

import asyncio
import re
from contextlib import suppress

import pytest
from playwright.async_api import Error, Page, Route, expect

from tests.browser.fixtures import Visit, accessible
from tests.processes import Processes
from tests.shelf import ADDRESS, PASSWORD


async def put_in(page: Page, product: str, label: str, quantity: int = 1) -> None:
    await page.goto(f"/products/{product}/")
    await page.get_by_role("radio", name=re.compile(label)).check()
    await page.get_by_label("How many").fill(str(quantity))
    await page.get_by_role("button", name="Put into the basket").click()
    await expect(page.get_by_role("status")).to_contain_text("in your basket")


async def go_to_payment(page: Page) -> str:
    """From the basket to the page where one pays; the order's address."""
    await page.goto("/basket/")
    await page.get_by_role("link", name="To the checkout").click()
    for label, value in {
        "E-mail address": "guest@example.org", "Name": ADDRESS.name, "Street and number": ADDRESS.street,
        "Postcode": ADDRESS.postcode, "City": ADDRESS.city,
    }.items():  # fmt: skip
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_label("Country").select_option("DE")
    await accessible(page)
    await page.get_by_role("button", name="Go on to shipping").click()
    await page.get_by_role("radio", name=re.compile("Parcel")).check()
    await accessible(page)
    await page.get_by_role("button", name="Go on to the review").click()
    await accessible(page)
    await page.get_by_role("button", name=re.compile("^Order and pay")).click()
    await page.wait_for_url("**/pay/")
    return page.url.removesuffix("pay/")


async def pay(page: Page, card: str) -> None:
    await page.get_by_label(card).check()
    await page.get_by_role("button", name=re.compile("^Pay ")).click()


async def test_a_visitor_fills_a_basket_signs_in_and_pays(visit: Visit) -> None:
    page = await visit()
    await page.goto("/")
    await page.get_by_role("link", name="Moor cup").click()
    await put_in(page, "moor-cup", "white", 2)
    await put_in(page, "slate-cup", "blue")
    quantity = page.get_by_label("How many of Moor cup, white")
    await quantity.fill("3")
    await quantity.press("Tab")
    await expect(page.locator(".sum strong")).to_have_text("€61.60")
    await accessible(page)
    await page.get_by_role("link", name="To the checkout").click()
    await page.get_by_role("link", name="sign in", exact=True).click()
    await page.get_by_label("Email").fill("ada@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await accessible(page)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/checkout/")
    await expect(page.locator("#count")).to_have_text("4")
    address = await go_to_payment(page)
    await accessible(page)
    await pay(page, "A card that is refused")
    await expect(page.get_by_role("status")).to_contain_text("Your card was declined.")
    await pay(page, "A card whose bank asks")
    await accessible(page)
    await page.get_by_role("button", name="Yes, that is me").click()
    await page.wait_for_url(address)
    await expect(page.locator(".state")).to_contain_text("It is paid, and we pack it.")
    await accessible(page)
    await page.goto("/orders/")
    await accessible(page)
    await expect(page.locator(".lines li")).to_have_count(1)


async def test_the_same_way_without_scripts(visit: Visit) -> None:
    page = await visit(java_script_enabled=False)
    await put_in(page, "slate-cup", "white")
    await page.get_by_label("How many of").fill("2")
    await page.get_by_role("button", name="Change").click()
    await expect(page.locator(".sum strong")).to_have_text("€29.80")
    await page.goto("/shop/cups/")
    await page.get_by_label("From").fill("500")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#found")).to_contain_text("Nothing like that")
    await page.goto("/basket/")
    await page.get_by_role("link", name="To the checkout").click()
    for label, value in {
        "E-mail address": "guest@example.org", "Name": ADDRESS.name, "Street and number": ADDRESS.street,
        "Postcode": ADDRESS.postcode, "City": ADDRESS.city,
    }.items():  # fmt: skip
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_label("Country").select_option("DE")
    await page.get_by_role("button", name="Go on to shipping").click()
    await page.get_by_role("radio", name=re.compile("Parcel")).check()
    await page.get_by_role("button", name="Go on to the review").click()
    await page.get_by_role("button", name=re.compile("^Order and pay")).click()
    await pay(page, "A card that works")
    await expect(page.locator(".state")).to_contain_text("It is paid, and we pack it.")


async def slowly(route: Route) -> None:
    """An answer that comes when the visitor has asked something else."""
    await asyncio.sleep(1)
    with suppress(Error):  # nobody waits for it any more
        await route.continue_()


async def test_facets_change_what_is_shown_without_loading_the_page(visit: Visit) -> None:
    page = await visit()
    await page.goto("/shop/cups/")
    await page.evaluate("document.body.dataset.kept = 'yes'")
    await expect(page.locator("#found .cards > li")).to_have_count(2)
    await page.get_by_label("From").fill("500")
    await page.get_by_label("From").press("Tab")
    await expect(page.locator("#found")).to_contain_text("Nothing like that")
    assert "least=500" in page.url
    assert await page.locator("body").get_attribute("data-kept") == "yes"
    await page.route(re.compile("least=500.*order=price"), slowly)
    await page.get_by_label("Sorted by").select_option("price")
    await page.get_by_label("From").fill("")
    await page.get_by_label("From").press("Tab")
    await expect(page.locator("#found .cards > li")).to_have_count(2)


async def test_those_who_work_there_ship_and_give_back(visit: Visit, processes: Processes) -> None:
    guest = await visit()
    await put_in(guest, "moor-cup", "blue")
    address = await go_to_payment(guest)
    await pay(guest, "A card that works")
    await guest.wait_for_url(address)
    number = (await guest.locator("h1").inner_text()).removeprefix("Order ")

    packer = await visit("packer")
    await packer.goto("/admin/orders/order/")
    await packer.get_by_role("link", name=number).click()
    await packer.get_by_role("link", name="Ship").click()
    await packer.get_by_label("Number of the parcel").fill("1Z999")
    await packer.get_by_role("button", name="Ship").click()
    await expect(packer.locator("body")).to_contain_text("is on its way, and the customer hears of it.")

    finance = await visit("finance")
    await finance.goto("/admin/orders/order/")
    await finance.get_by_role("link", name=number).click()
    await finance.get_by_role("link", name="Refund").click()
    await finance.get_by_label("Amount").fill("5")
    await finance.get_by_label("Reason").fill("A scratch.")
    await finance.get_by_role("button", name="Give money back").click()
    await expect(finance.locator("body")).to_contain_text("€5.00 go back.")

    processes.run("db_worker", "--batch")
    await guest.reload()
    await expect(guest.locator(".state")).to_contain_text("It is on its way: parcel 1Z999.")
    await expect(guest.locator(".events")).to_contain_text("money given back: €5.00")


PAGES = ["/", "/shop/cups/", "/search/?q=nothing", "/products/moor-cup/", "/basket/", "/account/login/"]
PAGES += ["/account/signup/", "/account/password/reset/", "/nothing/"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_every_page_is_for_everybody(visit: Visit, path: str, width: int, scheme: str) -> None:
    page = await visit(viewport={"width": width, "height": 800}, color_scheme=scheme)
    await page.goto(path)
    await accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


async def test_one_buys_by_keyboard(visit: Visit) -> None:
    page = await visit()
    await page.goto("/products/moor-cup/")
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("Skip to the content")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    for _ in range(2):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("in your basket")
