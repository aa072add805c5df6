"""Tokens: ours, and those of an issuer elsewhere."""

import hmac
import http.server
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
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
    settings.JWKS_URL = "https://id.example.org/keys"
    with pytest.raises(CommandError, match="JWKS_URL"):
        call_command("token", "ada")


@pytest.mark.django_db
def test_no_token_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    token = tokens.issue("ada", scopes="stock:read", lasts=HOUR)
    for path in ("products", f"products?access_token={token}", "nothing"):
        Caller(None, token=token).ask("GET", path)
        Caller(None, token=f"{token}x").ask("GET", path)
    assert "GET /api/v1/products 200" in caplog.text
    for part in token.split("."):
        assert part not in caplog.text


class Issuer:
    """Somebody who makes tokens, and says by which keys they are to be believed."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked, self.broken = 0, False
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(500 if issuer.broken else 200)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": issuer.public()}).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/keys"

    def public(self) -> list[dict[str, Any]]:
        of: dict[Any, Any] = {
            ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
            rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        }
        return [
            next(kind for base, kind in of.items() if isinstance(key, base)).to_jwk(key.public_key(), as_dict=True)
            | {"kid": name}
            for name, key in self.keys.items()
        ]

    def token(self, name: str, algorithm: str, **changed: Any) -> str:
        return jwt.encode(claims(iss="https://id", **changed), self.keys[name], algorithm, headers={"kid": name})


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    made = Issuer()
    made.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
    settings.JWKS_URL, settings.TOKEN_ISSUER = made.url, "https://id"
    tokens.keys.cache_clear()
    yield made
    tokens.keys.cache_clear()
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.django_db
def test_an_issuer_elsewhere_is_believed_by_its_keys(issuer: Issuer) -> None:
    for _ in range(5):
        assert status(issuer.token("first", "RS256")) == 200
    assert issuer.asked == 1
    assert status(issuer.token("first", "RS256", exp=1)) == 401
    assert status(issuer.token("first", "RS256", aud="others")) == 401
    assert status(signed(claims(iss="https://id"))) == 401, "ours are none any more"
    # The public key as if it were a secret.
    pem = issuer.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    said = [{"alg": "HS256", "kid": "first"}, claims(iss="https://id")]
    body = b".".join(urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in said)
    signature = urlsafe_b64encode(hmac.digest(pem, body, "sha256")).rstrip(b"=")
    assert status(f"{body.decode()}.{signature.decode()}") == 401


@pytest.mark.django_db
def test_new_keys_are_asked_for_but_not_for_each_unknown_one(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status(issuer.token("first", "RS256")) == 200
    issuer.keys["second"] = ec.generate_private_key(ec.SECP256R1())
    monkeypatch.setattr("accounts.tokens.ASK_AGAIN", -1.0)
    assert status(issuer.token("second", "ES256")) == 200
    assert status(issuer.token("first", "RS256")) == 200
    monkeypatch.setattr("accounts.tokens.ASK_AGAIN", 30.0)
    asked = issuer.asked
    issuer.keys["third"] = issuer.keys["first"]
    for _ in range(5):
        assert status(issuer.token("third", "RS256")) == 401
    assert issuer.asked == asked, "each unknown key would be a request that others make us send"
    del issuer.keys["first"]


@pytest.mark.django_db
def test_an_issuer_that_does_not_answer_is_no_fault_of_the_caller(issuer: Issuer) -> None:
    issuer.broken = True
    answer = Caller(None, token=issuer.token("first", "RS256")).ask("GET", "products")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
