"""The pages in a browser, as people use them."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from accounts.tokens import issue
from tests.browser.fixtures import Visit, accessible
from tests.conftest import HOUR


@pytest.mark.parametrize("path", ["/", "/docs", "/nothing"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_every_page_is_for_everybody(visit: Visit, path: str, width: int, scheme: Any) -> None:
    page = await visit(viewport={"width": width, "height": 800}, color_scheme=scheme)
    await page.goto(path)
    await accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


async def test_the_first_page_leads_to_the_first_call(visit: Visit, served: str) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Make the first call")).to_be_visible()
    said = await page.locator("pre").nth(1).inner_text()
    address = re.findall(r"http://\S+", said)[0]
    assert address == f"{served}/api/v1/products"
    token = issue("ada", scopes="stock:read", lasts=HOUR)
    answer = await page.request.get(address, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200


async def test_every_operation_can_be_opened_and_read(visit: Visit) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto("/docs")
    operations = page.locator("details")
    assert await operations.count() >= 13
    hold = page.locator("#holdStock")
    await hold.locator("summary").click()
    await expect(hold.locator("pre")).to_contain_text("Idempotency-Key")
    await expect(hold.locator("pre")).to_contain_text('{"product_id": 1, "quantity": 1}')
    await expect(hold.get_by_text("604800")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_opened_operations_are_for_everybody(visit: Visit, width: int, scheme: Any) -> None:
    page = await visit(viewport={"width": width, "height": 800}, color_scheme=scheme)
    await page.goto("/docs")
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"


async def test_with_the_keyboard_one_gets_to_the_content(visit: Visit) -> None:
    page = await visit()
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.locator(":focus")).to_have_text("Skip to the content")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_staff_look_at_the_stock_and_cancel(visit: Visit) -> None:
    page = await visit("admin")
    await page.goto("/admin/stock/product/")
    await expect(page.get_by_role("link", name="TEA-GREEN-100")).to_be_visible()
    await page.goto("/admin/reservations/reservation/?state=held")
    await page.locator("#result_list tbody input[type=checkbox]").first.check()
    await page.locator("select[name=action]").select_option("Cancel")
    await page.get_by_role("button", name="Run").click()
    await expect(page.locator("body")).to_contain_text("it is cancelled.")
    await page.goto("/admin/audit/entry/")
    await expect(page.locator("#result_list")).to_contain_text("cancel reservation")
