"""A real Chromium against the application in a process of its own. Nothing here touches the database's tables."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, async_playwright, expect

from app.settings import Settings
from tests.processes import Application

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
def site(settings: Settings) -> Iterator[Application]:
    """The application, served as in production but for HTTPS."""
    with Application(
        {
            "ENVIRONMENT": "test",
            "SECRET_KEY": settings.secret_key.get_secret_value(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": settings.database_url,
        }
    ) as application:
        yield application


type Visit = Callable[..., Awaitable[Page]]


@pytest.fixture
async def visit(browser: Browser, site: Application) -> AsyncIterator[Visit]:
    """Opens a window: `await visit("/docs")`; options are those of Playwright's contexts.

    When the test ends, a page that logged an error or broke the content security policy fails it.
    """
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_window(path: str = "/", **options: object) -> Page:
        context = await browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(unexpected(message)))
        await page.goto(path)
        return page

    yield open_window
    for context in contexts:
        await context.close()
    assert complaints == []


def unexpected(message: ConsoleMessage) -> list[str]:
    """An error on the console, unless it is the browser's own report of what a test did on purpose."""
    return [message.text] if message.type == "error" and not message.text.startswith("Failed to load resource:") else []


async def accessible(page: Page) -> None:
    """No violation that axe can find."""
    results = await Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
