"""The site as it was built, opened from its folder: no server, no network. `nox -s docs` builds it and runs this."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, sync_playwright

SITE = Path(__file__).parents[2] / "site"
PAGES = sorted(page.relative_to(SITE).as_posix() for page in SITE.rglob("*.html") if page.name != "404.html")
# Its copy buttons are landmarks without names; what it lets scroll gets the focus from the browser itself.
THE_THEMES = ("landmark-unique", "scrollable-region-focusable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    system = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"] if root else [])
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"NO BROWSER: set CHROMIUM, or have Chromium installed. {error.message[:200]}")
        yield chromium
        chromium.close()


@pytest.fixture(params=["desktop, light", "phone, dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page that asks nobody, and complains of nothing."""
    if request.param == "phone, dark":
        context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    else:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda asked: elsewhere.append(asked.url) if not asked.url.startswith("file:") else None)
    page.on("console", lambda said: elsewhere.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: elsewhere.append(str(error)))
    yield page
    context.close()
    assert [each for each in elsewhere if not each.startswith(("blob:", "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_and_is_for_everybody(page: Page, name: str) -> None:
    page.goto((SITE / name).as_uri())
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    images = page.evaluate("[...document.images].filter((image) => !image.complete || !image.naturalWidth).length")
    assert images == 0
    options = {"preload": False, "rules": {rule: {"enabled": False} for rule in THE_THEMES}}
    found = Axe().run(page, options=options).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_search_works_without_a_server(page: Page) -> None:
    page.goto((SITE / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("TRUSTED_PROXIES")
    page.get_by_text(re.compile(r"^\d+ results$")).wait_for()


def test_nothing_is_left_to_be_put_in() -> None:
    for name in PAGES:
        text = (SITE / name).read_text("utf-8")
        assert "include:" not in text, name
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="https?:', text), name
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="https?:', text), name
