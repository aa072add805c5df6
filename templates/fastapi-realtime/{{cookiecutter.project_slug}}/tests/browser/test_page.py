"""The page, as people use it."""

import asyncio
from collections.abc import Callable

from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.browser.fixtures import Visit, accessible
from tests.processes import Application


async def make_room(page: Page, name: str = "General", *members: str) -> None:
    """Make a room and let these people in, by hand."""
    await page.get_by_placeholder("New room").fill(name)
    await page.get_by_role("button", name="Make the room").click()
    await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    for member in members:
        await page.get_by_role("button", name="People").click()
        await page.get_by_label("Let somebody in").fill(member)
        await page.get_by_role("button", name="Add").click()
        await expect(page.locator("#member-list")).to_contain_text(member)
        await page.get_by_role("button", name="Close").click()


async def say(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


async def open_room(page: Page, name: str = "General") -> None:
    await page.reload()
    await page.locator("#light[data-state=live]").wait_for()  # what is said before that is no news to this page
    await page.get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


async def said(page: Page) -> list[str]:
    """The committed messages that the page shows, in order."""
    return await page.locator(".message[data-seq] .body").all_inner_texts()


async def test_a_wrong_password_is_said_on_the_page(visit: Visit) -> None:
    page = await visit()
    await accessible(page)
    await page.get_by_label("Name").fill("nobody")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    await accessible(page)


async def test_two_windows_talk(visit: Visit) -> None:
    grace = await visit("grace")
    ada = await visit("ada")
    await make_room(ada, "General", "grace")
    await say(ada, "hello grace")
    await open_room(grace)
    await expect(grace.locator(".body")).to_have_text(["hello grace"])
    await say(grace, "hello ada")
    await expect(ada.locator(".body")).to_have_text(["hello grace", "hello ada"])
    await expect(ada.locator(".waiting")).to_have_count(0)
    await accessible(ada)


async def test_who_was_offline_misses_nothing_and_loses_nothing(visit: Visit) -> None:
    grace = await visit("grace")
    ada = await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await say(grace, "before")
    await expect(ada.locator(".body")).to_have_text(["before"])
    await grace.context.set_offline(True)
    await grace.evaluate("dispatchEvent(new Event('offline'))")
    await expect(grace.locator("#light")).to_have_attribute("data-state", "offline")
    for number in range(3):
        await say(ada, f"missed {number}")
    await say(grace, "written offline")
    await expect(grace.locator(".waiting .body")).to_have_text(["written offline"])
    await expect(ada.locator(".message[data-seq] .body")).to_have_text(["before", "missed 0", "missed 1", "missed 2"])
    await grace.context.set_offline(False)
    everything = ["before", "missed 0", "missed 1", "missed 2", "written offline"]
    await expect(grace.locator("#light")).to_have_attribute("data-state", "live")
    for page in (grace, ada):
        await expect(page.locator(".message[data-seq] .body")).to_have_text(everything)
    await expect(grace.locator(".waiting")).to_have_count(0)


async def test_a_server_that_is_killed_and_comes_back_loses_nothing(visit: Visit, site: Application) -> None:
    ada = await visit("ada")
    await make_room(ada)
    await say(ada, "before")
    await expect(ada.locator(".message[data-seq]")).to_have_count(1)
    site.kill()
    await expect(ada.locator("#light")).not_to_have_attribute("data-state", "live")
    await say(ada, "while it was dead")
    await expect(ada.locator(".waiting .body")).to_have_text(["while it was dead"])
    site.start()
    await expect(ada.locator("#light")).to_have_attribute("data-state", "live")
    await expect(ada.locator(".waiting")).to_have_count(0)
    assert await said(ada) == ["before", "while it was dead"]
    await ada.reload()
    await expect(ada.locator(".message[data-seq] .body")).to_have_text(["before", "while it was dead"])


async def test_a_line_that_says_everything_twice_is_heard_once(visit: Visit) -> None:
    def repeat(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def twice(to: WebSocketRoute) -> Callable[[str | bytes], None]:
            def send(message: str | bytes) -> None:
                to.send(message)
                to.send(message)

            return send

        server.on_message(twice(route))
        route.on_message(twice(server))

    ada = await visit("ada")
    await make_room(ada)
    await ada.route_web_socket("**/ws", repeat)
    await ada.reload()
    await ada.locator("#light[data-state=live]").wait_for()
    for text in ("one", "two", "three"):
        await say(ada, text)
    await expect(ada.locator(".waiting")).to_have_count(0)
    await ada.wait_for_timeout(300)
    assert await said(ada) == ["one", "two", "three"]


async def test_unread_messages_are_counted_where_one_is_not_looking(visit: Visit) -> None:
    grace = await visit("grace")
    ada = await visit("ada")
    await make_room(ada, "Alpha", "grace")
    await make_room(ada, "Beta", "grace")
    await open_room(grace, "Alpha")
    await say(ada, "one")
    await say(ada, "two")
    await expect(grace.get_by_role("link", name="Beta").get_by_role("img")).to_have_text("2")
    await expect(grace).to_have_title("(2) Alpha · Team rooms")
    await grace.get_by_role("link", name="Beta").click()
    await expect(grace.locator(".body")).to_have_text(["one", "two"])
    await expect(grace.locator(".badge")).to_have_count(0)


async def test_long_history_is_fetched_as_one_scrolls_up(visit: Visit) -> None:
    ada = await visit("ada")
    await make_room(ada)
    for number in range(60):
        await say(ada, f"line {number}")
    await expect(ada.locator(".message[data-seq]")).to_have_count(60)
    await ada.reload()
    await expect(ada.locator(".message[data-seq]")).to_have_count(50)
    await ada.locator("#log").evaluate("log => log.scrollTo(0, 0)")
    await expect(ada.locator(".message[data-seq]")).to_have_count(60)
    assert await said(ada) == [f"line {number}" for number in range(60)]


async def test_what_people_write_is_text_and_nothing_else(visit: Visit) -> None:
    ada = await visit("ada")
    await make_room(ada, "<b>Room</b>")
    await say(ada, "<img src=x onerror=alert(1)><script>alert(2)</script>")
    await expect(ada.locator(".body")).to_have_text(["<img src=x onerror=alert(1)><script>alert(2)</script>"])
    assert await ada.locator(".room img, .room script, .room b").count() == 0


async def test_who_is_shown_out_sees_the_room_close(visit: Visit) -> None:
    grace = await visit("grace")
    ada = await visit("ada")
    await make_room(ada, "General", "grace")
    await open_room(grace)
    await ada.get_by_role("button", name="People").click()
    await accessible(ada)
    await ada.get_by_role("button", name="Show grace out").click()
    await expect(grace.get_by_role("alert")).to_have_text("You are no longer in General.")
    await expect(grace.get_by_role("link", name="General")).to_have_count(0)


async def test_signing_out_in_one_window_ends_the_other(visit: Visit) -> None:
    ada = await visit("ada")
    other = await ada.context.new_page()
    await other.goto("/")
    await other.locator("#light[data-state=live]").wait_for()
    await ada.get_by_role("button", name="Sign out").click()
    for page in (ada, other):
        await expect(page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_the_skip_link_leads_to_writing(visit: Visit) -> None:
    ada = await visit("ada")
    await make_room(ada)
    await ada.get_by_role("link", name="Skip to writing").focus()
    await ada.keyboard.press("Enter")
    await ada.keyboard.type("skipped")
    await ada.keyboard.press("Enter")
    await expect(ada.locator(".body")).to_have_text(["skipped"])


async def test_a_room_that_is_opened_twice_at_once_is_shown_once(visit: Visit) -> None:
    async def slowly(route: Route) -> None:
        await asyncio.sleep(0.4)
        await route.continue_()

    grace = await visit("grace")
    ada = await visit("ada")
    await make_room(ada, "Alpha", "grace")
    await say(ada, "one")
    await make_room(ada, "Beta", "grace")
    await expect(ada.locator(".waiting")).to_have_count(0)
    await grace.route("**/messages?*", slowly)
    await grace.reload()
    for name in ("Beta", "Alpha", "Beta", "Alpha"):
        await grace.get_by_role("link", name=name).click()
    await open_again(ada, "Alpha")
    await say(ada, "two")
    await expect(grace.locator(".message[data-seq] .body")).to_have_text(["one", "two"])


async def test_an_older_list_of_people_does_not_replace_a_newer_one(visit: Visit) -> None:
    slow = asyncio.Event()

    async def first_is_slow(route: Route) -> None:
        answer = await route.fetch()
        if route.request.method == "GET" and not slow.is_set():
            slow.set()
            await asyncio.sleep(1)
        await route.fulfill(response=answer)

    await visit("grace")
    ada = await visit("ada")
    await make_room(ada)
    await ada.get_by_role("button", name="People").click()
    await expect(ada.locator("#member-list")).to_contain_text("ada")
    await ada.get_by_role("button", name="Close").click()
    await ada.route("**/members*", first_is_slow)
    await ada.get_by_role("button", name="People").click()
    await ada.get_by_label("Let somebody in").fill("grace")
    await ada.get_by_role("button", name="Add").click()
    await expect(ada.locator("#member-list")).to_contain_text("grace")
    await asyncio.sleep(1.2)
    await expect(ada.locator("#member-list")).to_contain_text("grace")


async def open_again(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


async def test_it_works_by_keyboard_alone(visit: Visit) -> None:
    ada = await visit("ada")
    await make_room(ada)
    await ada.reload()
    await ada.locator("#light[data-state=live]").wait_for()
    await ada.locator("body").press("Tab")
    await ada.locator(":focus").press("Shift+Tab")
    for _ in range(12):
        if await ada.evaluate("document.activeElement.id") == "body":
            break
        await ada.keyboard.press("Tab")
    await ada.keyboard.type("typed")
    await ada.keyboard.press("Shift+Enter")
    await ada.keyboard.type("in two lines")
    await ada.keyboard.press("Enter")
    await expect(ada.locator(".body")).to_have_text(["typed\nin two lines"], use_inner_text=True)


async def test_it_fits_a_phone_in_the_dark(visit: Visit) -> None:
    ada = await visit("ada", viewport={"width": 360, "height": 700}, color_scheme="dark")
    await accessible(ada)
    await make_room(ada)
    await say(ada, "x" * 300)
    await expect(ada.locator(".message[data-seq]")).to_have_count(1)
    await accessible(ada)
    width = await ada.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    await ada.get_by_role("button", name="Back to the rooms").click()
    await expect(ada.get_by_role("link", name="General")).to_be_visible()


async def test_the_api_page_comes_from_our_own_files(visit: Visit) -> None:
    page = await visit()
    await page.goto("/docs")
    await expect(page.get_by_text("/api/v1/rooms", exact=True).first).to_be_visible()
