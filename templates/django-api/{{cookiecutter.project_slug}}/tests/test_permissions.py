"""Who may do what: each address that there is, asked by nobody, by who may not, and by who may."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.callers import SCOPES
from config.api import View
from tests.callers import Caller

# For people, or for whoever asks whether it is there: each is here on purpose.
PUBLIC = {"home", "docs", "document"}
SOME = {"<str:product_id>": "1", "<str:reservation_id>": "1", "<str:sku>": "TEA", "<str:report_id>": "1"}


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address, with how it is written."""
    for each in resolver.url_patterns:
        text = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, text)
        else:
            yield text, each


def api() -> list[tuple[str, Any]]:
    """The addresses of the API's views, with something in them."""
    found = []
    for text, each in patterns(get_resolver()):
        view = getattr(each.callback, "view_class", None)
        if isinstance(view, type) and issubclass(view, View):
            for name, value in SOME.items():
                text = text.replace(name, value)  # noqa: PLW2901  one after the other
            found.append((f"/{text}", view))
    return found


ASKED = [
    (path, method.upper(), getattr(view, method).operation)
    for path, view in api()
    for method in ("get", "post", "patch", "delete")
    if hasattr(view, method)
]


def test_every_address_is_the_apis_or_the_admins_or_public_on_purpose() -> None:
    ours = {each.name for text, each in patterns(get_resolver()) if not text.startswith("admin/")}
    guarded = {
        each.name for _, each in patterns(get_resolver()) if issubclass(getattr(each.callback, "view_class", int), View)
    }
    assert ours - guarded == PUBLIC | {None}, "None is what leads nowhere"
    assert len(ASKED) >= 13


def test_every_operation_names_a_scope_and_reading_needs_no_more_than_reading() -> None:
    for _, method, operation in ASKED:
        assert operation.scope in SCOPES
        assert method != "GET" or operation.scope == "stock:read"


@pytest.mark.parametrize(("path", "method", "operation"), ASKED, ids=[f"{asked[1]} {asked[0]}" for asked in ASKED])
def test_nobody_and_who_lacks_the_scope_do_nothing(anonymous: Caller, path: str, method: str, operation: Any) -> None:
    headers = {"Idempotency-Key": "x", "If-Match": "*"}
    answer = anonymous.client.generic(method, path, headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    (other,) = {*SCOPES} - {operation.scope}
    for scopes in ("", other, f"{operation.scope}s", operation.scope.upper()):
        answer = Caller("somebody", scopes).client.generic(method, path, headers=headers)
        assert answer.status_code == 403, scopes
        assert answer["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{operation.scope}"'
    assert Caller("somebody", operation.scope).client.generic(method, path, headers=headers).status_code not in (
        401,
        403,
    )


def test_a_view_that_names_no_operation_is_for_nobody(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from stock.views import Products

    monkeypatch.setattr(Products, "get", lambda self, _request: self.respond(None))
    assert ada.ask("GET", "products").status_code == 403
