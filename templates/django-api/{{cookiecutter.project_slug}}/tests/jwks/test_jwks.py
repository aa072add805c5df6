"""Tokens of an issuer elsewhere."""

import hmac
import http.server
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings as written
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts.tokens import signing_key
from jwks import services
from tests.accounts.test_tokens import claims, signed, status
from tests.callers import Caller


class Issuer:
    """Somebody who makes tokens, and says by which keys they are to be believed."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked, self.broken = 0, False
        self.page: bytes | None = None  # in place of the keys
        self.answers = threading.Event()
        self.answers.set()
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                self.send_response(500 if issuer.broken else 200)
                self.end_headers()
                issuer.answers.wait(20)
                self.wfile.write(issuer.page or json.dumps({"keys": issuer.public()}).encode())

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
    services.keys.cache_clear()
    yield made
    services.keys.cache_clear()
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
    monkeypatch.setattr("jwks.services.ASK_AGAIN", -1.0)
    assert status(issuer.token("second", "ES256")) == 200
    assert status(issuer.token("first", "RS256")) == 200
    monkeypatch.setattr("jwks.services.ASK_AGAIN", 30.0)
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


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["ey", "ey.x", "eyJhbGciOiJSUzI1NiJ9.e30.x"])
def test_what_names_no_key_is_none(issuer: Issuer, token: str) -> None:
    assert status(token) == 401


def said(algorithm: str, **changed: Any) -> str:
    """A token that nobody has signed."""
    parts = [{"alg": algorithm, "kid": "first"}, claims(iss="https://id", **changed)]
    return b".".join([*(urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in parts), b"AAAA"]).decode()


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "HS256", "PS256", "none"])
def test_how_a_token_is_signed_is_for_the_key_to_say(issuer: Issuer, algorithm: str) -> None:
    assert status(said(algorithm)) == 401
    assert status(issuer.token("first", "RS512")) == 401


@pytest.mark.django_db
@pytest.mark.parametrize("page", [b'{"keys": []}', b"<html>", b"[]", b'{"keys": [1]}', b"\xff"])
def test_an_issuer_that_answers_nonsense_is_no_fault_of_the_caller(issuer: Issuer, page: bytes) -> None:
    issuer.page = page
    assert status(issuer.token("first", "RS256")) == 503


@pytest.mark.django_db
def test_a_key_that_was_published_as_a_secret_is_none(issuer: Issuer) -> None:
    secret = b"shared by all who can read the page"
    shared = {"kty": "oct", "alg": "HS256", "kid": "shared", "k": urlsafe_b64encode(secret).rstrip(b"=").decode()}
    issuer.page = json.dumps({"keys": [*issuer.public(), shared]}).encode()
    token = jwt.encode(claims(iss="https://id"), secret, "HS256", headers={"kid": "shared"})
    assert (status(token), status(issuer.token("first", "RS256"))) == (401, 200)


@pytest.mark.django_db
@pytest.mark.parametrize(("other", "name"), [({"use": "enc", "kid": "odd"}, "odd"), ({"kid": None}, "None")])
def test_a_key_that_is_for_something_else_or_has_no_name_is_none(
    issuer: Issuer, other: dict[str, Any], name: str
) -> None:
    issuer.keys[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good, odd = issuer.public()
    issuer.page = json.dumps({"keys": [good, odd | other]}).encode()
    assert (status(issuer.token(name, "RS256")), status(issuer.token("first", "RS256"))) == (401, 200)


@pytest.mark.django_db
def test_known_keys_are_good_while_the_issuer_hangs(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status(issuer.token("first", "RS256")) == 200
    for name, seconds in (("OLD", -1.0), ("ASK_AGAIN", -1.0)):
        monkeypatch.setattr(f"jwks.services.{name}", seconds)
    issuer.answers.clear()
    key_of, token = services.keys(issuer.url).key_of, issuer.token("first", "RS256")
    asking = threading.Thread(target=key_of, args=[token])
    asking.start()
    while issuer.asked < 2:
        time.sleep(0.01)
    began = time.monotonic()
    for _ in range(3):
        assert key_of(token)
    assert time.monotonic() - began < 1, "one asks, and the others do not wait for it"
    issuer.page = b"<html>"
    issuer.answers.set()
    asking.join()
    assert status(token) == 200


@pytest.mark.django_db
def test_no_token_of_ours_is_believed_however_it_is_written(issuer: Issuer) -> None:
    header = urlsafe_b64encode(b'{\n"alg":"HS256","typ":"JWT"}').rstrip(b"=")
    body = header + b"." + urlsafe_b64encode(json.dumps(claims(iss="https://id")).encode()).rstrip(b"=")
    signature = urlsafe_b64encode(hmac.digest(signing_key(written.SECRET_KEY), body, "sha256")).rstrip(b"=")
    assert status(f"{body.decode()}.{signature.decode()}") == 401
    with pytest.raises(CommandError, match="not believed"):
        call_command("token", "ada")
    assert issuer.asked == 0
