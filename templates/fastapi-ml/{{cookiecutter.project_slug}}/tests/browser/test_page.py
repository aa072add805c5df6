"""The pages for people, as people see them."""

from playwright.async_api import expect

from tests.browser.fixtures import Visit, accessible
from tests.conftest import Connect, Serve
from tests.models import trained
from tests.processes import Application


async def test_the_models_are_shown_with_their_versions_and_calibration(visit: Visit, serve: Serve) -> None:
    name = await serve(trained("linear"), trained("forest"))
    page = await visit()
    await page.wait_for_function(f"document.body.textContent.includes('{name}')")
    card = page.locator(f'[data-model="{name}"]')
    await expect(card.get_by_role("row")).to_have_count(3)
    await expect(card.locator(".stage.primary")).to_have_count(1)
    await expect(card.get_by_role("img")).to_have_count(2)
    await accessible(page)


async def test_the_numbers_stay_fresh(visit: Visit, serve: Serve, program: Connect, site: Application) -> None:
    name = await serve(trained("linear"))
    page = await visit()
    answered = page.locator(f'[data-model="{name}"] [data-live="answered"]')
    await expect(answered).to_have_text("0")
    client = await program(at=site.url)
    body = {"inputs": [{"name": "hour", "datatype": "FP32", "shape": [1, 1], "data": [1]}]}
    assert (await client.post(f"/v2/models/{name}/infer", json=body)).status_code == 400
    tensors = trained("linear").card.check.inputs
    inputs = [
        {"name": key, "datatype": "FP32" if key in ("hour", "miles") else "BYTES", "shape": [32, 1], "data": values}
        for key, values in tensors.items()
    ]
    for _ in range(3):
        assert (await client.post(f"/v2/models/{name}/infer", json={"inputs": inputs})).status_code == 200
    await expect(answered).to_have_text("3")


async def test_without_scripts_the_page_says_the_same(visit: Visit, serve: Serve) -> None:
    name = await serve(trained("linear"))
    page = await visit(java_script_enabled=False)
    await expect(page.locator(f'[data-model="{name}"] [data-live="version"]')).to_have_text("1")


async def test_it_fits_a_phone_in_the_dark(visit: Visit, serve: Serve) -> None:
    await serve(trained("linear"))
    page = await visit(viewport={"width": 360, "height": 700}, color_scheme="dark")
    await accessible(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_api_page_comes_from_our_own_files(visit: Visit) -> None:
    page = await visit("/docs")
    await expect(page.get_by_text("/v2/health/live", exact=True).first).to_be_visible()
