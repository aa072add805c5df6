"""Tokens of ours."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as written
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts import tokens
from tests.callers import Caller

HOUR = timedelta(hours=1)


def claims(**changed: Any) -> dict[str, Any]:
    """What a token says; None leaves it out."""
    found = {
        "sub": "ada",
        "scope": "stock:read",
        "iss": "stock",
        "aud": "stock",
        "exp": int(time.time()) + 60,
    } | changed
    return {name: value for name, value in found.items() if value is not None}


def signed(said: dict[str, Any], secret: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(said, tokens.signing_key(secret or written.SECRET_KEY), algorithm=algorithm)


def status(token: str) -> int:
    found: int = Caller(None, token=token).ask("GET", "products").status_code
    return found


@pytest.mark.django_db
def test_a_token_of_ours_is_believed() -> None:
    assert status(signed(claims())) == 200
    assert status(tokens.issue("ada", scopes="stock:read", lasts=HOUR)) == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1}, {"exp": None}, {"exp": "tomorrow"}, {"iss": "somebody"}, {"iss": None}, {"aud": "others"},
        {"aud": None}, {"sub": None}, {"sub": ""}, {"sub": "a\n"}, {"sub": "a" * 201}, {"sub": 7},
        {"nbf": 2**40},
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_token_makes_it_none(changed: dict[str, Any]) -> None:
    answer = Caller(None, token=signed(claims(**changed))).ask("GET", "products")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.django_db
def test_how_a_token_is_signed_is_not_for_the_token_to_say() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in (
        jwt.encode(claims(), None, algorithm="none"),  # type: ignore[arg-type]
        signed(claims(), algorithm="HS512"),
        jwt.encode(claims(), key, algorithm="RS256"),
        jwt.encode(claims(), written.SECRET_KEY, algorithm="HS256"),  # the secret itself signs nothing
    ):
        assert status(token) == 401


@pytest.mark.django_db
def test_a_secret_that_was_exchanged_goes_on_for_a_while(settings: Settings) -> None:
    token, old = signed(claims()), settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 8
    assert status(token) == 401
    settings.SECRET_KEY_FALLBACKS = [old]
    assert status(token) == 200
    assert status(signed(claims())) == 200


@pytest.mark.django_db
def test_scopes_are_words() -> None:
    for scope, wanted in (("stock:read stock:write", 200), ("stock:reader", 403), (["stock:read"], 403), (None, 403)):
        assert status(signed(claims(scope=scope))) == wanted


@pytest.mark.django_db
def test_the_command_prints_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("token", "till 7", "--scope", "stock:read", "--minutes", "5")
    token = capsys.readouterr().out.strip()
    said = jwt.decode(token, options={"verify_signature": False})
    assert (said["sub"], said["scope"]) == ("till 7", "stock:read")
    assert 0 < said["exp"] - time.time() <= 300
    assert status(token) == 200


def test_the_command_refuses_what_would_be_no_use(settings: Settings) -> None:
    for arguments in (["ada", "--scope", "stock:steal"], ["a" * 201]):
        with pytest.raises(CommandError):
            call_command("token", *arguments)
    settings.SECRET_KEY_IS_SET = False
    with pytest.raises(CommandError, match="SECRET_KEY"):
        call_command("token", "ada")


@pytest.mark.django_db
def test_no_token_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    token = tokens.issue("ada", scopes="stock:read", lasts=HOUR)
    for path in ("products", f"products?access_token={token}", "nothing"):
        Caller(None, token=token).ask("GET", path)
        Caller(None, token=f"{token}x").ask("GET", path)
    assert "GET /api/v1/products 200" in caplog.text
    said = caplog.text + str([vars(record) for record in caplog.records])  # in JSON all of a record is told
    for part in token.split("."):
        assert part not in said


@pytest.mark.django_db
def test_a_signature_is_checked_once_and_the_end_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = signed(claims(sub="once")), time.time()
    before = tokens.read.cache_info()
    assert [status(token) for _ in range(3)] == [200] * 3
    after = tokens.read.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert status(token) == 401
