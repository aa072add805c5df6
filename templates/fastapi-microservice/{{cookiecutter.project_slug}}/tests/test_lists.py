"""Pages of a list: whose a cursor is."""

from tests.conftest import Connect, a_hold, a_product


async def test_a_cursor_is_of_one_list_and_for_one_caller(program: Connect) -> None:
    one, another = await program(name="one"), await program(name="another")
    first, second = await a_product(one), await a_product(one, on_hand=9)
    for caller in (one, another, one, another):
        await a_hold(caller, second)
    mine = (await one.get("/api/v1/reservations?limit=1")).json()["next"]
    all_products = (await one.get("/api/v1/products?limit=1")).json()["next"]
    movements = f"products/{first['id']}/movements"
    for cursor, caller, path, status in (
        (mine, one, "reservations", 200),
        (mine, another, "reservations", 400),
        (mine, one, "products", 400),
        (all_products, another, "products", 200),
        (all_products, one, movements, 400),
    ):
        answer = await caller.get(f"/api/v1/{path}", params={"cursor": cursor})
        assert answer.status_code == status, path
