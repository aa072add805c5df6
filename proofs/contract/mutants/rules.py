"""A mutant for each rule: the rule, the tests that have to notice, and a server that does not keep it."""

import base64
import uuid
from collections.abc import Callable
from dataclasses import replace

from .proxy import Forward, Json, Mutant, Request, Response, World

MUTANTS: dict[str, tuple[str, Mutant]] = {}


def broken(rule: str, noticed_by: str) -> Callable[[Mutant], Mutant]:
    """A mutant that breaks this rule; what of the suite has to notice, as pytest's -k has it."""

    def keep(mutant: Mutant) -> Mutant:
        assert rule not in MUTANTS, rule
        MUTANTS[rule] = noticed_by, mutant
        return mutant

    return keep


def asked(rule: str, noticed_by: str) -> Callable[[Callable[[Request, World], Request]], None]:
    """One that hears something else."""

    def keep(change: Callable[[Request, World], Request]) -> None:
        broken(rule, noticed_by)(lambda request, ask, world: ask(change(request, world)))

    return keep


def answered(rule: str, noticed_by: str) -> Callable[[Callable[[Request, Response], Response]], None]:
    """One that says something else."""

    def keep(change: Callable[[Request, Response], Response]) -> None:
        broken(rule, noticed_by)(lambda request, ask, _world: change(request, ask(request)))

    return keep


def is_list(body: Json) -> bool:
    return isinstance(body, dict) and {*body} == {"items", "next"}


def each_thing(response: Response, change: Callable[[Json], Json]) -> Response:
    """With something else said of each product, movement or reservation."""
    body = response.json
    if response.status >= 400 or not isinstance(body, dict) or not body:
        return response
    return response.saying(
        body | {"items": [change(each) for each in body["items"]]} if is_list(body) else change(body)
    )


# ── Every answer ────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("each answer has a request id", "test_products")
def _(_request: Request, response: Response) -> Response:
    return response.having(x_request_id=None)


@answered("nothing is said but what the schema has", "test_a_new_product_has")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | {"version": 1})


@answered("nothing is left out", "test_what_is_put_aside_cannot")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: {name: thing[name] for name in thing if name != "created_at"})


@answered("an id is a number", "test_a_new_product_has")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | {"id": str(thing["id"])})


@answered("an instant is in UTC, with a Z", "test_a_new_product_has")
def _(_request: Request, response: Response) -> Response:
    return each_thing(
        response,
        lambda thing: {
            name: value.replace("Z", "+00:00") if name.endswith("_at") else value for name, value in thing.items()
        },
    )


@answered("what is made is 201", "test_a_new_product_has")
def _(_request: Request, response: Response) -> Response:
    return replace(response, status=200 if response.status == 201 else response.status)


@answered("Location says where", "test_a_new_product_has or test_what_is_put_aside_cannot")
def _(_request: Request, response: Response) -> Response:
    return response.having(location="/api/v1/products") if "location" in response.headers else response


@broken("HEAD is answered", "test_head_is_get")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    return replace(answer, status=405) if request.method == "HEAD" else answer


@broken("each has time, however slowly others send", "test_who_sends_slowly")
def _(request: Request, ask: Forward, world: World) -> Response:
    world.memory["one at a time"] = True
    return ask(request)


# ── Callers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asked("nobody without a token", "test_nobody_does_anything")
def _(request: Request, world: World) -> Request:
    return request if request.who else request.having(authorization=world.token("writer"))


@asked("a token has its time", "test_a_token_that_is_over")
def _(request: Request, world: World) -> Request:
    return request.having(authorization=world.token("writer")) if request.who == world.token("expired") else request


@asked("a token is signed", "test_a_token_that_is_over")
def _(request: Request, world: World) -> Request:
    same = request.who.split(".")[:2] == world.token("writer").split(".")[:2]
    return request.having(authorization=world.token("writer")) if same else request


@asked("what a token says is what was signed", "test_a_token_that_is_over")
def _(request: Request, world: World) -> Request:
    same = request.who.split(".")[::2] == world.token("writer").split(".")[::2]
    return request.having(authorization=world.token("writer")) if same else request


@asked("alg=none is no signature", "test_a_token_that_is_over")
def _(request: Request, world: World) -> Request:
    head = request.who.removeprefix("Bearer ").split(".")[0]
    none = base64.urlsafe_b64encode(b'{"alg": "none", "typ": "JWT"}').decode().rstrip("=")
    return request.having(authorization=world.token("writer")) if head == none else request


@asked("a token does not stand in an address", "test_a_token_in_the_address")
def _(request: Request, world: World) -> Request:
    given = request.query
    token = given.pop("access_token", None)
    return request.asking(given).having(authorization=world.token("reader")) if token else request


@broken("a scope is needed", "test_a_token_without_the_scope")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    return ask(request.having(authorization=world.token("writer"))) if answer.status == 403 else answer


@broken("stock:read does not write", "test_a_token_without_the_scope")
def _(request: Request, ask: Forward, world: World) -> Response:
    reader = request.who == world.token("reader") and request.method != "GET"
    return ask(request.having(authorization=world.token("writer")) if reader else request)


@answered("401 says how", "test_nobody_does_anything")
def _(_request: Request, response: Response) -> Response:
    return response.having(www_authenticate=None)


@answered("403 says which scope", "test_a_token_without_the_scope")
def _(_request: Request, response: Response) -> Response:
    return response.having(www_authenticate=None) if response.status == 403 else response


@broken("a reservation is read by its holder alone", "test_a_reservation_is_its_holders")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    hidden = answer.status == 404 and request.method == "GET" and "/reservations/" in request.path
    return ask(request.having(authorization=world.token("writer"))) if hidden else answer


@broken("a reservation is ended by its holder alone", "test_a_reservation_is_its_holders")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    hidden = answer.status == 404 and request.method == "POST" and "/reservations/" in request.path
    return ask(request.having(authorization=world.token("writer"))) if hidden else answer


@asked("a list has one's own reservations", "test_a_reservation_is_its_holders")
def _(request: Request, world: World) -> Request:
    theirs = request.method == "GET" and request.path == "/api/v1/reservations" and request.who
    return request.having(authorization=world.token("writer")) if theirs else request


# ── Problems ────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("an error is problem+json", "test_a_sku_is_of_one_product")
def _(_request: Request, response: Response) -> Response:
    return response.having(content_type="application/json") if response.status >= 400 else response


@answered("an address that leads nowhere is one, too", "test_an_address_that_leads_nowhere")
def _(_request: Request, response: Response) -> Response:
    if response.kind == "not-found":
        return replace(response.having(content_type="text/html"), body=b"<h1>Not Found</h1>")
    return response


@answered("405 says what is there", "test_a_method_that_is_not_there")
def _(_request: Request, response: Response) -> Response:
    return response.having(allow=None)


@answered("another method is a 405", "test_a_method_that_is_not_there")
def _(_request: Request, response: Response) -> Response:
    return response.problem(404, "not-found") if response.status == 405 else response


@asked("who takes no JSON is told so", "test_who_takes_no_json")
def _(request: Request, _world: World) -> Request:
    return request.having(accept="*/*")


@asked("Accept has more than one word", "test_who_takes_json_gets_it")
def _(request: Request, _world: World) -> Request:
    return request.having(accept=request.headers.get("accept", "*/*").split(",")[0])


@asked("what is not announced as JSON is refused", "test_what_is_not_announced")
def _(request: Request, _world: World) -> Request:
    return request.having(content_type="application/json")


@answered("a body may be announced with a charset", "test_json_may_be_announced")
def _(request: Request, response: Response) -> Response:
    return (
        response.problem(415, "unsupported-media-type") if ";" in request.headers.get("content-type", "") else response
    )


@broken("a body has its limit", "test_a_body_that_is_too_large")
def _(request: Request, ask: Forward, _world: World) -> Response:
    if len(request.body) > 65536 and request.path == "/api/v1/products":
        return ask(request.saying(request.json | {"name": "Tea"}))
    return ask(request)


@answered("what is no JSON is a 400", "test_what_is_no_json")
def _(_request: Request, response: Response) -> Response:
    return response.problem(422, "invalid") if response.kind == "malformed" else response


@answered("deep JSON is no error of the server", "test_what_is_no_json")
def _(request: Request, response: Response) -> Response:
    return response.problem(500, "internal-server-error") if request.body.startswith(b"[[[[") else response


@answered("a surrogate is no error of the server", "test_a_name_that_is_no_unicode")
def _(request: Request, response: Response) -> Response:
    return response.problem(500, "internal-server-error") if b"\\ud83c" in request.body else response


@asked("a NUL is refused", "test_a_wrong_value")
def _(request: Request, _world: World) -> Request:
    return replace(request, body=request.body.replace(b"\\u0000", b""))


@answered("what is wrong is named", "test_a_wrong_value")
def _(_request: Request, response: Response) -> Response:
    body = {name: value for name, value in response.json.items() if name != "errors"} if response.body else {}
    return response.saying(body) if response.status == 422 else response


@answered("a pointer points", "test_what_nobody_knows_is_named")
def _(_request: Request, response: Response) -> Response:
    return replace(response, body=response.body.replace(b"~1", b"/").replace(b"~0", b"~"))


@asked("a string is no number", "test_a_wrong_movement")
def _(request: Request, _world: World) -> Request:
    body = request.json
    if isinstance(body, dict) and isinstance(body.get("quantity"), str):
        return request.saying(body | {"quantity": int(body["quantity"])})
    return request


@asked("true is no number", "test_a_wrong_reservation")
def _(request: Request, _world: World) -> Request:
    body = request.json
    if isinstance(body, dict) and body.get("quantity") is True:
        return request.saying(body | {"quantity": 1})
    return request


@asked("a number is no string", "test_a_wrong_value")
def _(request: Request, _world: World) -> Request:
    body = request.json
    if isinstance(body, dict) and isinstance(body.get("sku"), int):
        return request.saying(body | {"sku": str(body["sku"])})
    return request


@asked("half a number is none", "test_a_wrong_movement")
def _(request: Request, _world: World) -> Request:
    body = request.json
    if isinstance(body, dict) and isinstance(body.get("quantity"), float):
        return request.saying(body | {"quantity": int(body["quantity"])})
    return request


@asked("what nobody knows is refused", "test_what_nobody_knows_is_named")
def _(request: Request, _world: World) -> Request:
    body = request.json
    if request.method == "POST" and request.path == "/api/v1/products" and isinstance(body, dict):
        return request.saying({name: body[name] for name in body if name in ("sku", "name")})
    return request


@asked("a parameter that nobody knows is refused", "test_a_parameter_that_nobody_knows")
def _(request: Request, _world: World) -> Request:
    return request.asking({name: value for name, value in request.query.items() if name in ("limit", "cursor")})


@asked("a newline is no end of a SKU", "test_a_wrong_value")
def _(request: Request, _world: World) -> Request:
    return replace(request, body=request.body.replace(b'TEA\\n"', b'TEA"'))


@asked("what is said is not trimmed", "test_a_wrong_value")
def _(request: Request, _world: World) -> Request:
    return replace(request, body=request.body.replace(b'" tea"', b'"tea"').replace(b'"tea "', b'"tea"'))


@answered("an id that is too large leads nowhere", "test_an_id_that_is_none")
def _(request: Request, response: Response) -> Response:
    return response.problem(500, "internal-server-error") if str(2**63) in request.path else response


@answered("an id that is no number leads nowhere", "test_an_id_that_is_none")
def _(request: Request, response: Response) -> Response:
    return response.problem(422, "invalid") if "/tea" in request.path else response


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("a SKU is of one product", "test_a_sku_is_of_one_product")
def _(request: Request, response: Response) -> Response:
    forged = {"id": 1, "on_hand": 0, "reserved": 0, "available": 0}
    forged |= dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00Z")
    return response.success(201, forged | request.json) if response.kind == "sku-taken" else response


@answered("what is left out stays", "test_a_change_leaves_the_rest")
def _(request: Request, response: Response) -> Response:
    changed = request.method == "PATCH" and response.status == 200
    return (
        response.saying(response.json | {"reserved": 0, "available": response.json["on_hand"]}) if changed else response
    )


@answered("a change is dated", "test_a_change_leaves_the_rest")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | ({"updated_at": thing["created_at"]} if "sku" in thing else {}))


@answered("what is gone is gone", "test_a_product_that_is_gone")
def _(_request: Request, response: Response) -> Response:
    return response.problem(409, "product-in-use") if response.status == 404 else response


@broken("what is deleted is deleted", "test_a_product_that_is_gone")
def _(request: Request, ask: Forward, _world: World) -> Response:
    if request.method == "DELETE":
        return replace(ask(replace(request, method="GET")).having(content_type=None), status=204, body=b"")
    return ask(request)


@answered("a product with a past stays", "test_a_product_with_a_past")
def _(_request: Request, response: Response) -> Response:
    return replace(response, status=204, body=b"") if response.kind == "product-in-use" else response


@answered("409 is no error of the server", "test_a_product_with_a_past")
def _(_request: Request, response: Response) -> Response:
    return response.problem(500, "internal-server-error") if response.kind == "product-in-use" else response


# ── Movements and reservations ──────────────────────────────────────────────────────────────────────────────────────


@answered("a movement says what is on hand after it", "test_the_number_on_hand_is")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | ({"on_hand": 10} if "change" in thing else {}))


@answered("what goes out is less than nothing", "test_the_number_on_hand_is")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | ({"change": abs(thing["change"])} if "change" in thing else {}))


@answered("what is put aside does not go out", "test_no_more_goes_out")
def _(request: Request, response: Response) -> Response:
    if response.kind == "not-enough-stock" and "/movements" in request.path:
        forged = {"id": 1, "product_id": 1, "reservation_id": None, "kind": "issue", "change": -1, "on_hand": 0}
        return response.success(201, forged | {"note": "", "created_at": "2026-01-01T00:00:00Z"})
    return response


@broken("what is put aside is not corrected away", "test_no_more_goes_out")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    if answer.kind == "not-enough-stock" and request.json.get("kind") == "correct":
        forged = {"id": 1, "product_id": 1, "reservation_id": None, "kind": "correct", "change": -1, "on_hand": 0}
        return answer.success(201, forged | {"note": "", "created_at": "2026-01-01T00:00:00Z"})
    return answer


def a_reservation(request: Request, state: str = "held") -> Json:
    forged = {"id": 1, "state": state, "expires_at": "2040-01-01T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"}
    return (
        forged
        | {"product_id": 1, "quantity": 1}
        | {name: request.json[name] for name in ("product_id", "quantity") if name in request.json}
    )


@answered("no more is put aside than there is", "test_no_more_is_put_aside")
def _(request: Request, response: Response) -> Response:
    return response.success(201, a_reservation(request)) if response.kind == "not-enough-stock" else response


@broken("no more is put aside than there is, of many at once", "test_of_thirty")
def _(request: Request, ask: Forward, world: World) -> Response:
    """Right as long as one asks after the other: what was read before another has written is what is believed."""
    if request.method != "POST" or request.path != "/api/v1/reservations":
        return ask(request)
    with world.lock:
        world.memory["in flight"] = world.memory.get("in flight", 0) + 1
    answer = ask(request)
    with world.lock:
        world.memory["in flight"] -= 1
        if answer.kind == "not-enough-stock" and world.memory["in flight"] > 5:
            return answer.success(201, a_reservation(request))
    return answer


@answered("available is what is not put aside", "test_what_is_put_aside_cannot")
def _(_request: Request, response: Response) -> Response:
    return each_thing(response, lambda thing: thing | ({"available": thing["on_hand"]} if "available" in thing else {}))


@asked("a hold lasts as long as was asked for", "test_what_is_put_aside_cannot")
def _(request: Request, _world: World) -> Request:
    return (
        request.saying(request.json | {"expires_in": 900})
        if "quantity" in request.json and "product_id" in request.json
        else request
    )


@asked("a hold lasts a quarter of an hour", "test_who_says_nothing")
def _(request: Request, _world: World) -> Request:
    return request.saying({"expires_in": 60} | request.json) if "product_id" in request.json else request


@broken("what has expired can be had", "test_what_has_expired_can_be_had")
def _(request: Request, ask: Forward, _world: World) -> Response:
    """Says that it has expired, but has it put aside still, as where nobody has tidied up."""
    lasting = request.json.get("expires_in") == 1
    answer = ask(request.saying(request.json | {"expires_in": 60}) if lasting else request)
    return each_thing(answer, lambda thing: thing | ({"state": "expired"} if thing.get("quantity") == 3 else {}))


@answered("what has expired says so", "test_what_has_expired_can_be_had")
def _(request: Request, response: Response) -> Response:
    listed = request.path == "/api/v1/reservations" and request.method == "GET"
    return each_thing(response, lambda thing: thing | {"state": "held"}) if listed else response


@answered("what has expired is not confirmed", "test_what_has_expired_can_be_had")
def _(request: Request, response: Response) -> Response:
    closed = response.kind == "reservation-closed" and request.path.endswith("/confirm")
    return response.success(200, a_reservation(request, "confirmed")) if closed else response


@broken("what has expired can go out", "test_what_has_expired_can_go_out")
def _(request: Request, ask: Forward, world: World) -> Response:
    """Lets what was once put aside never go out again."""
    if request.json.get("expires_in") == 1:
        world.memory["held"] = True
    moving = request.method == "POST" and request.path.endswith("/movements") and world.memory.get("held")
    return (
        ask(request).problem(409, "not-enough-stock") if moving and request.json["kind"] != "receive" else ask(request)
    )


@broken("what is cancelled can be had again", "test_what_is_cancelled")
def _(request: Request, ask: Forward, _world: World) -> Response:
    if request.path.endswith("/cancel"):
        answer = ask(replace(request, method="GET", target=request.path.removesuffix("/cancel")))
        return answer.saying(answer.json | {"state": "cancelled"})
    return ask(request)


@answered("what is confirmed is in the ledger", "test_what_is_confirmed_goes_out")
def _(_request: Request, response: Response) -> Response:
    body = response.json
    if is_list(body):
        return response.saying(body | {"items": [each for each in body["items"] if not each.get("reservation_id")]})
    return response


@answered("what has ended stays as it ended", "test_what_has_ended")
def _(request: Request, response: Response) -> Response:
    return (
        response.success(200, a_reservation(request, "confirmed"))
        if response.kind == "reservation-closed"
        else response
    )


@answered("a product that is not there is a wrong value", "test_a_wrong_reservation")
def _(_request: Request, response: Response) -> Response:
    return response.problem(404, "not-found") if b"#/product_id" in response.body else response


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("newest first", "test_pages_are_newest_first")
def _(_request: Request, response: Response) -> Response:
    body = response.json
    return response.saying(body | {"items": body["items"][::-1]}) if is_list(body) else response


@broken("a cursor is a place, not a number of rows", "test_pages_are_newest_first")
def _(request: Request, ask: Forward, _world: World) -> Response:
    given = request.query
    if request.method != "GET" or "limit" not in given or not given["limit"].isdigit():
        return ask(request)
    start, limit = int(given.get("cursor", "0")), int(given["limit"])
    answer = ask(request.asking({"limit": "100"}))
    if answer.status != 200:
        return answer
    items = answer.json["items"]
    following = str(start + limit) if len(items) > start + limit else None
    return answer.saying({"items": items[start : start + limit], "next": following})


@answered("nothing is left out between pages", "test_pages_are_newest_first")
def _(request: Request, response: Response) -> Response:
    body = response.json
    return (
        response.saying(body | {"items": body["items"][1:]})
        if is_list(body) and "cursor" in request.query
        else response
    )


@answered("the last page says so", "test_a_list_of_as_many")
def _(_request: Request, response: Response) -> Response:
    return (
        response.saying(response.json | {"next": response.json["next"] or "x"}) if is_list(response.json) else response
    )


@asked("a page has fifty items", "test_a_page_has_fifty")
def _(request: Request, _world: World) -> Request:
    return request.asking({"limit": "20"} | request.query) if request.method == "GET" else request


@asked("a page has a hundred items at most, and more is an error", "test_a_limit_that_is_none")
def _(request: Request, _world: World) -> Request:
    given = request.query
    return request.asking(given | {"limit": "100"}) if given.get("limit") == "101" else request


@asked("no page is without items", "test_a_limit_that_is_none")
def _(request: Request, _world: World) -> Request:
    given = request.query
    return request.asking(given | {"limit": "1"}) if given.get("limit") == "0" else request


@broken("what is no cursor is refused", "test_what_is_no_cursor")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    return ask(request.asking({})) if answer.kind == "invalid-cursor" else answer


@answered("an altered cursor is no error of the server", "test_a_cursor_that_was_altered")
def _(_request: Request, response: Response) -> Response:
    return response.problem(500, "internal-server-error") if response.kind == "invalid-cursor" else response


@broken("the end of a page may go", "test_the_end_of_a_page")
def _(request: Request, ask: Forward, world: World) -> Response:
    if request.method == "DELETE":
        world.memory["gone"] = True
    answer = ask(request)
    return answer.problem(400, "invalid-cursor") if "cursor" in request.query and "gone" in world.memory else answer


# ── ETags ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("what is read has an ETag", "test_a_new_product_has")
def _(request: Request, response: Response) -> Response:
    return response.having(etag=None) if request.method == "GET" else response


@answered("another state has another ETag", "test_what_has_changed_is_sent")
def _(_request: Request, response: Response) -> Response:
    return response.having(etag='"1"') if "etag" in response.headers else response


@answered("the same state has the same ETag", "test_the_same_thing")
def _(_request: Request, response: Response) -> Response:
    return response.having(etag=f'"{uuid.uuid4()}"') if "etag" in response.headers else response


@asked("what is as it was is not sent", "test_what_is_as_it_was")
def _(request: Request, _world: World) -> Request:
    return request.having(if_none_match=None)


@asked("If-None-Match compares weakly", "test_what_is_as_it_was")
def _(request: Request, _world: World) -> Request:
    known = request.headers.get("if-none-match", "")
    return request.having(if_none_match='"nothing"') if "W/" in known else request


@asked("If-None-Match is a list", "test_what_is_as_it_was")
def _(request: Request, _world: World) -> Request:
    return (
        request.having(if_none_match=request.headers["if-none-match"].split(",")[0])
        if "if-none-match" in request.headers
        else request
    )


@asked("If-Match is demanded", "test_nobody_changes")
def _(request: Request, _world: World) -> Request:
    return request.having(if_match=request.headers.get("if-match", "*"))


@asked("If-Match is looked at", "test_nobody_changes")
def _(request: Request, _world: World) -> Request:
    return request.having(if_match="*") if "if-match" in request.headers else request


@asked("If-Match compares strongly", "test_nobody_changes")
def _(request: Request, _world: World) -> Request:
    return (
        request.having(if_match=request.headers["if-match"].replace("W/", ""))
        if "if-match" in request.headers
        else request
    )


@asked("If-Match may be a star", "test_who_has_seen_it")
def _(request: Request, _world: World) -> Request:
    return request.having(if_match='"*"') if request.headers.get("if-match") == "*" else request


@asked("If-Match is a list", "test_who_has_seen_it")
def _(request: Request, _world: World) -> Request:
    return (
        request.having(if_match=request.headers["if-match"].split(",")[0]) if "if-match" in request.headers else request
    )


@broken("of many who have seen the same one changes it", "test_of_ten_who_have_seen")
def _(request: Request, ask: Forward, world: World) -> Response:
    """Compares first, and writes later."""
    if request.method != "PATCH" or request.headers.get("if-match", "*") == "*":
        return ask(request)
    tag = ask(replace(request, method="GET", body=b"").having(if_match=None, content_type=None)).headers.get("etag")
    if tag != request.headers["if-match"]:
        return ask(request)
    with world.lock:
        return ask(request.having(if_match="*"))


# ── Idempotency keys ────────────────────────────────────────────────────────────────────────────────────────────────


@asked("a key is demanded", "test_without_a_key")
def _(request: Request, _world: World) -> Request:
    return request if request.key else request.having(idempotency_key=str(uuid.uuid4()))


@asked("a key is 1 to 200 visible characters", "test_without_a_key")
def _(request: Request, _world: World) -> Request:
    return request.having(idempotency_key=request.key.encode("latin-1").hex()[:200]) if request.key else request


@asked("a key is looked at", "test_the_same_request_again")
def _(request: Request, _world: World) -> Request:
    return request.having(idempotency_key=str(uuid.uuid4())) if request.key else request


@broken("a key is its caller's own", "test_a_key_is_its_callers")
def _(request: Request, ask: Forward, world: World) -> Response:
    if not request.key or request.key not in world.memory:
        answer = ask(request)
        if request.key and answer.status < 300:
            world.memory[request.key] = answer
        return answer
    return world.memory[request.key]


@broken("a key is of one request", "test_a_key_that_came_with")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    if request.key and answer.status < 300:
        world.memory[request.who, request.key] = answer
    return world.memory[request.who, request.key] if answer.kind == "idempotency-key-reused" else answer


@broken("with another request a key does nothing", "test_a_key_that_came_with")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    reused = answer.kind == "idempotency-key-reused"
    return ask(request.having(idempotency_key=str(uuid.uuid4()))) if reused else answer


@asked("members have no order", "test_the_same_json")
def _(request: Request, _world: World) -> Request:
    if not request.key or not request.body:
        return request
    order = (
        sum(place * ord(name[0]) for place, name in enumerate(request.json)) if isinstance(request.json, dict) else 0
    )
    return request.having(idempotency_key=f"{request.key[:100]}-{order}")


@broken("a refusal is not stored", "test_what_was_refused")
def _(request: Request, ask: Forward, world: World) -> Response:
    if not request.key:
        return ask(request)
    if (request.who, request.key) not in world.memory:
        world.memory[request.who, request.key] = ask(request)
    return world.memory[request.who, request.key]


@broken("the stored answer is the one of then", "test_the_stored_answer")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    if request.path == "/api/v1/reservations" and answer.status == 201:
        now = ask(
            replace(request, method="GET", target=answer.headers["location"], body=b"").having(idempotency_key=None)
        )
        return answer.saying(now.json).having(etag=now.headers["etag"])
    return answer


@broken("the stored answer has its headers", "test_the_same_request_again")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    if request.key and answer.status < 300 and "etag" in answer.headers:
        seen = world.memory.setdefault(request.key, answer)
        return answer if seen is answer else answer.having(etag='"again"')
    return answer


@broken("the same key is done once, of many at once", "test_of_twenty_at_once")
def _(request: Request, ask: Forward, world: World) -> Response:
    """Looks whether there is an answer, and stores it afterwards."""
    if not request.key or (request.who, request.key) in world.memory:
        return world.memory.get((request.who, request.key)) or ask(request)
    answer = ask(request.having(idempotency_key=str(uuid.uuid4())))
    if answer.status < 300:
        world.memory[request.who, request.key] = answer
    return answer


@broken("who comes second is told when to come again", "test_of_twenty_at_once")
def _(request: Request, ask: Forward, world: World) -> Response:
    if not request.key:
        return ask(request)
    with world.lock:
        second = request.key in world.memory
        world.memory[request.key] = True
    answer = ask(request)
    with world.lock:
        world.memory.pop(request.key, None)
    return answer.problem(409, "request-in-progress") if second else answer


# ── Allowance ───────────────────────────────────────────────────────────────────────────────────────────────────────


@answered("an allowance is told", "test_an_allowance")
def _(_request: Request, response: Response) -> Response:
    return response.having(ratelimit=None)


@answered("its policy is told", "test_an_allowance")
def _(_request: Request, response: Response) -> Response:
    return response.having(ratelimit_policy="600;w=60") if "ratelimit-policy" in response.headers else response


@answered("an allowance shrinks", "test_an_allowance")
def _(_request: Request, response: Response) -> Response:
    return response.having(ratelimit='"default";r=7;t=7') if "ratelimit" in response.headers else response


@broken("who asks too often waits", "test_who_asks_too_often")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    if answer.status != 429:
        return answer
    served = ask(request.having(authorization=world.token("other")))
    return served if served.status != 429 else answer.having(retry_after="0")


@answered("429 says how long", "test_who_asks_too_often")
def _(_request: Request, response: Response) -> Response:
    return response.having(retry_after=None)


@broken("an allowance is its caller's own", "test_who_asks_too_often")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    if answer.status == 429:
        world.memory["spent"] = answer
    return world.memory.get("spent", answer) if "limit" in request.query else answer


# ── What full.yaml adds ─────────────────────────────────────────────────────────────────────────────────────────────


def without(*names: str) -> Callable[[Request, World], Request]:
    """Not hearing these parameters."""

    def change(request: Request, _world: World) -> Request:
        given = request.query
        if not {*names} & given.keys():
            return request
        return request.asking({name: value for name, value in given.items() if name not in names})

    return change


for name, noticed in {
    "search": "test_a_word_is_found",
    "sku": "test_one_sku_is_one_product",
    "available_min": "test_what_can_be_had_counts",
    "sort": "test_any_order",
    "fields": "test_only_what_is_wanted",
    "kind": "test_movements_of_a_kind",
    "since": "test_movements_of_a_kind",
    "state": "test_reservations_in_a_state",
    "product_id": "test_reservations_in_a_state",
}.items():
    asked(f"full: {name} is heard", f"full and {noticed}")(without(name))


@asked("full: a search is for words, not for patterns", "full and test_a_word_is_found")
def _(request: Request, _world: World) -> Request:
    given = request.query
    if any(sign in given.get("search", "") for sign in "%_*"):
        return request.asking(given | {"search": given["search"].replace("_", "%").replace("*", "%").partition("%")[0]})
    return request


@broken("full: a cursor belongs to its filters and its order", "full and test_a_cursor_belongs")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    given = request.query
    given.pop("cursor", None)
    return ask(request.asking(given)) if answer.kind == "invalid-cursor" else answer


@broken("full: all or none", "full and test_or_none")
def _(request: Request, ask: Forward, _world: World) -> Response:
    answer = ask(request)
    if answer.kind == "not-enough-stock" and request.path.endswith("/bulk"):
        ask(request.saying({"items": request.json["items"][:1]}).having(idempotency_key=str(uuid.uuid4())))
    return answer


@answered("full: of a bulk it is said what is not enough", "full and test_or_none")
def _(_request: Request, response: Response) -> Response:
    if response.kind == "not-enough-stock" and "errors" in response.json:
        return response.saying({name: value for name, value in response.json.items() if name != "errors"})
    return response


@answered("full: as they were asked for", "full and test_all_are_put_aside")
def _(request: Request, response: Response) -> Response:
    turned = request.path.endswith("/bulk") and response.status == 201
    return response.saying({"items": response.json["items"][::-1]}) if turned else response


@answered("full: what is going to be taken away says so", "full and test_a_product_by_its_sku")
def _(_request: Request, response: Response) -> Response:
    return response.having(deprecation=None)


@answered("full: what takes long says when to come again", "full and test_a_report_is_ordered")
def _(_request: Request, response: Response) -> Response:
    return response.having(retry_after=None)


@broken("full: what takes long is done by somebody else", "full and test_a_report_is_ordered")
def _(request: Request, ask: Forward, _world: World) -> Response:
    """Makes it within the request, as tasks that are none do."""
    answer = ask(request)
    if request.path == "/api/v1/reports" and answer.status == 202:
        return answer.saying(answer.json | {"state": "running"})
    return answer


@broken("full: a report is its orderer's alone", "full and test_a_report_is_its_orderers")
def _(request: Request, ask: Forward, world: World) -> Response:
    answer = ask(request)
    hidden = answer.status == 404 and "/reports/" in request.path
    return ask(request.having(authorization=world.token("writer"))) if hidden else answer


@broken("full: one order is one report", "full and test_one_order_is_one_report")
def _(request: Request, ask: Forward, _world: World) -> Response:
    return ask(request.having(idempotency_key=str(uuid.uuid4())) if request.path == "/api/v1/reports" else request)


for name in ("revoked", "expired"):

    @asked(f"full: a key that is {name} is none", f"full and test_a_key_that_has_ended and {name}")
    def _(request: Request, world: World, name: str = name) -> Request:
        ended = f"Bearer {world.server['full'][f'{name}_key']}"
        return request.having(authorization=world.token("writer")) if request.who == ended else request


@asked("full: all of a key counts", "full and test_a_key_that_is_not_quite")
def _(request: Request, world: World) -> Request:
    key = f"Bearer {world.server['full']['key']}"
    return request.having(authorization=key) if request.who[: len(key) - 1] == key[:-1] else request


def nothing(request: Request, ask: Forward, _world: World) -> Response:
    """No mutant: hands on what there is. With it, the suite is green."""
    return ask(request)
