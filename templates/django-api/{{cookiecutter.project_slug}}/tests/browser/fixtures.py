"""A real Chromium against the API in a process of its own. Nothing here touches the database's tables."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright, expect

from tests.processes import Processes
from tests.site import PASSWORD

# On a busy machine things take their time; nobody waits longer than they do.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """$CHROMIUM, the system's own, or what `playwright install chromium` brought."""
    system = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    # Chromium's sandbox does not work for root, which is who tests are in many a container.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    async with async_playwright() as playwright:
        try:
            chromium = await playwright.chromium.launch(
                executable_path=system,
                args=["--disable-background-networking", *(["--no-sandbox"] if root else [])],
            )
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"NO BROWSER: set CHROMIUM, or run `playwright install chromium`. {error.message[:200]}")
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
def served(processes: Processes) -> Iterator[str]:
    """The address of the API, served as in production but for HTTPS."""
    with processes.serve() as address:
        yield address


type Visit = Callable[..., Awaitable[Page]]


@pytest.fixture
async def visit(browser: Browser, served: str) -> AsyncIterator[Visit]:
    """Opens a window: `await visit()` as a visitor, `await visit("admin")` signs in.

    When the test ends, a page that logged an error or broke its content security policy fails it.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_window(name: str | None = None, **options: object) -> Page:
        context = await browser.new_context(base_url=served, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(unexpected(message)))
        if name:
            await page.goto("/admin/login/")
            await page.locator("[name=username]").fill(f"{name}@example.org")
            await page.locator("[name=password]").fill(PASSWORD)
            await page.get_by_role("button", name="Log in").click()
            await page.wait_for_url("**/admin/")
        return page

    yield open_window
    for context in contexts:
        await context.close()
    assert complaints == []


def unexpected(message: ConsoleMessage) -> list[str]:
    """An error on the console, unless it is the browser's own report of what a test did on purpose."""
    on_purpose = "Failed to load resource: the server responded with a status of 4"
    return [message.text] if message.type == "error" and not message.text.startswith(on_purpose) else []


async def accessible(page: Page) -> None:
    """No violation that axe can find."""
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
