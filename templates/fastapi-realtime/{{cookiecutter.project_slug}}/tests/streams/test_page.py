"""The page where sockets do not get through."""

from playwright.async_api import WebSocketRoute, expect

from tests.browser.fixtures import Visit
from tests.browser.test_page import make_room, open_room, said, say


async def test_where_sockets_do_not_get_through_the_page_takes_a_stream(visit: Visit) -> None:
    async def refuse(route: WebSocketRoute) -> None:
        await route.close(code=1011)

    grace, ada = await visit("grace"), await visit("ada")
    await make_room(ada, "General", "grace")
    await grace.route_web_socket("**/ws", refuse)
    await open_room(grace)
    await expect(grace.locator("#light")).to_have_attribute("data-state", "live")
    await say(ada, "by socket")
    await expect(grace.locator(".body")).to_have_text(["by socket"])
    await say(grace, "by stream")
    await expect(ada.locator(".body")).to_have_text(["by socket", "by stream"])
    await expect(grace.locator(".waiting")).to_have_count(0)
    assert await said(grace) == ["by socket", "by stream"]
