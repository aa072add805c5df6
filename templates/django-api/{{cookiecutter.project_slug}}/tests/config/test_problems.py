"""Errors: one form for all of the API, pages for people everywhere else."""

import time
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.callers import Caller


def test_what_breaks_says_nothing_of_the_inside_and_is_written_down(
    ada: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("the password is rosebud")

    monkeypatch.setattr("stock.views.product_json", breaks)
    answer = ada.ask("POST", "products", {"sku": "TEA", "name": "Tea"})
    assert answer.status_code == 500
    assert answer.json() == {"type": "/problems/internal-server-error", "title": "Something broke", "status": 500}
    assert answer["RateLimit"], "who is known is told, whatever happens"
    assert "rosebud" in caplog.text


def test_a_database_that_does_not_answer_is_no_fault_of_the_caller(
    ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("config.allowance.used", gone)
    answer = ada.ask("GET", "products")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


@pytest.mark.django_db
def test_what_the_middleware_refuses_has_the_form_too(client: Client) -> None:
    answer = client.get("/api/v1/products", headers={"host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert client.get("/", headers={"host": "evil.example"})["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_elsewhere_people_get_pages(client: Client) -> None:
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    answer = client.get("/api/nothing")
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.django_db
def test_a_page_that_breaks_says_so_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False

    def breaks(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("config.views.chapters", breaks)
    answer = client.get("/docs")
    assert answer.status_code == 500
    assert "Something broke" in answer.content.decode()
    monkeypatch.setattr("config.views.render_to_string", breaks)
    assert client.get("/docs").content == b"Something broke. It was written down, and we look at it."


@pytest.mark.parametrize(
    "body",
    [
        b'{"sku": "A", "sku": "B", "name": "Tea"}',
        b'{"sku": "A", "name": "Tea", "\\ud800": 1}',
        b'{"sku": "A", "name": "T\\u0000a"}',
        b'{"sku": 1' + b"0" * 5000 + b', "name": "Tea"}',
    ],
)
def test_what_is_json_and_no_product_is_refused(ada: Caller, body: bytes) -> None:
    answer = ada.client.post("/api/v1/products", body, "application/json")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


@pytest.mark.parametrize(
    "body",
    [b"[" * 101 + b"]" * 101, b'{"a":' * 101 + b"1" + b"}" * 101, b"\xef\xbb\xbf{}", b'"\xff"', b"[1e]", b"-"],
)
def test_what_is_no_json_is_malformed(ada: Caller, body: bytes) -> None:
    answer = ada.client.post("/api/v1/products", body, "application/json")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed")


def test_a_text_without_an_end_takes_no_longer(ada: Caller) -> None:
    began = time.process_time()
    body = b"[" * 101 + b'"' + b'\\"' * 30_000
    assert ada.client.post("/api/v1/products", body, "application/json").status_code == 400
    assert time.process_time() - began < 1


def test_brackets_in_a_text_are_not_deep(ada: Caller) -> None:
    body = b'{"sku": "A", "name": "' + b"[{" * 90 + b'\\""}'
    assert ada.client.post("/api/v1/products", body, "application/json").status_code == 201


def test_of_a_thousand_mistakes_a_hundred_are_told(ada: Caller) -> None:
    answer = ada.ask("POST", "products", {f"x{number}": 1 for number in range(1000)})
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 100)


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "image/*, text/plain", "application/problem+json"]
)
def test_who_takes_no_json_gets_none(ada: Caller, accept: str) -> None:
    answer = ada.ask("GET", "products", Accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
    assert answer["RateLimit"]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=+1", "limit=1_0", "limit=٣", "limit= 1", "limit=01"])
def test_a_parameter_is_what_it_says_and_comes_once(ada: Caller, query: str) -> None:
    answer = ada.ask("GET", f"products?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "limit")


def test_a_thousand_parameters_are_too_many(ada: Caller) -> None:
    answer = ada.ask("GET", "products?" + "&".join(f"x{number}=1" for number in range(1100)))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


def test_a_member_that_is_called_as_the_whole_is_a_member(ada: Caller) -> None:
    answer = ada.ask("POST", "products", {"sku": "A", "name": "Tea", "non_field_errors": 1})
    assert [each["pointer"] for each in answer.json()["errors"]] == ["#/non_field_errors"]
    assert ada.ask("POST", "products", [1]).json()["errors"][0]["pointer"] == "#"


def test_a_method_that_the_document_has_not_is_told_which_it_has(ada: Caller) -> None:
    answer = ada.ask("POST", "openapi.json")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/problem+json", "nosniff")
