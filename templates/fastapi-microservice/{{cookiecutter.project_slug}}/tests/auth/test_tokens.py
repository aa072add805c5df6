"""Who is believed: tokens of keys that we read, for us, in time, signed with a private key."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.routing import iter_route_contexts
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from app.auth import keys
from app.auth.issuer import issue
from app.main import create_app
from app.operations import Operation
from app.settings import Settings
from tests.conftest import HOUR, PATIENCE, Connect, serving

ALGORITHMS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
ISSUER, AUDIENCE = "https://issuer.example", "stock"
PATH = "/api/v1/products"


def private_key(algorithm: str) -> Any:
    """A new one."""
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(65537, 2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


class Issuer:
    """An issuer of tokens: its keys, and how often they were read."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Any]] = {}
        self.asked = 0
        self.up = True
        self.url = ""

    def add(self, key_id: str, algorithm: str = "ES256") -> None:
        self.keys[key_id] = algorithm, private_key(algorithm)

    def jwks(self) -> bytes:
        self.asked += 1
        found = [
            json.loads(ALGORITHMS[algorithm].to_jwk(key.public_key())) | {"kid": kid, "alg": algorithm, "use": "sig"}
            for kid, (algorithm, key) in self.keys.items()
        ]
        return json.dumps({"keys": found}).encode()

    def token(self, key_id: str, **other: Any) -> str:
        algorithm, key = self.keys[key_id]
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "scope": "stock:read", "exp": time.time() + 60}
        claims = {name: value for name, value in (claims | other).items() if value is not None}
        return jwt.encode(claims, key, algorithm, headers={"kid": key_id})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """One that answers on a port."""
    of = Issuer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = of.jwks()
            self.send_response(200 if of.up else 500)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    of.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield of
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def believing(settings: Settings, issuer: Issuer) -> AsyncIterator[httpx2.AsyncClient]:
    """The application that reads that issuer's keys."""
    theirs = {"jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with (
        serving(settings.model_copy(update=theirs)) as address,
        httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client,
    ):
        yield client


async def status(client: httpx2.AsyncClient, token: str) -> int:
    """What reading with this token is answered with."""
    return (await client.get(PATH, headers={"Authorization": f"Bearer {token}"})).status_code


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_a_key_that_we_read_is_good(settings: Settings, issuer: Issuer, algorithm: str) -> None:
    issuer.add("a", algorithm)
    async with believing(settings, issuer) as client:
        assert [await status(client, issuer.token("a")) for _ in range(3)] == [200] * 3
    assert issuer.asked == 1, "keys are kept"


async def test_keys_change_while_we_run(settings: Settings, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer.add("a")
    async with believing(settings, issuer) as client:
        old = issuer.token("a")
        assert await status(client, old) == 200
        monkeypatch.setattr(keys, "PAUSE", 0.0)
        issuer.add("b")
        assert await status(client, issuer.token("b")) == 200, "a new key is found when it is first used"
        del issuer.keys["a"]
        assert await status(client, old) == 200, "for a while the one before is good"
        monkeypatch.setattr(keys, "FRESH_FOR", 0.0)
        async with asyncio.timeout(PATIENCE):
            while await status(client, old) == 200:  # the keys are read beside the requests
                await asyncio.sleep(0.02)
        assert await status(client, old) == 401, "then it is not, although its signature was checked before"
        assert await status(client, issuer.token("b")) == 200


async def test_invented_key_ids_do_not_make_us_ask_for_each(settings: Settings, issuer: Issuer) -> None:
    issuer.add("a")
    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a")) == 200
        for number in range(20):
            issuer.keys[f"invented-{number}"] = "ES256", private_key("ES256")
            assert await status(client, issuer.token(f"invented-{number}")) == 401
    assert issuer.asked == 1


async def test_an_issuer_that_is_gone_is_503_and_known_keys_stay_good(
    settings: Settings, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.add("a")
    issuer.up = False
    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a")) == 503
        monkeypatch.setattr(keys, "PAUSE", 0.0)
        issuer.up = True
        assert await status(client, issuer.token("a")) == 200
        issuer.up = False
        monkeypatch.setattr(keys, "FRESH_FOR", 0.0)
        assert await status(client, issuer.token("a")) == 200


async def test_an_issuer_that_hangs_keeps_nobody_waiting(
    settings: Settings, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.add("a")
    answered, plain = Event(), issuer.jwks

    def hang() -> bytes:
        answered.wait(PATIENCE)
        return plain()

    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a")) == 200
        monkeypatch.setattr(issuer, "jwks", hang)
        monkeypatch.setattr(keys, "PAUSE", 0.0)
        monkeypatch.setattr(keys, "FRESH_FOR", 0.0)
        try:
            async with asyncio.timeout(keys.PATIENCE / 2):
                assert [await status(client, issuer.token("a")) for _ in range(5)] == [200] * 5
        finally:
            answered.set()


async def test_an_issuer_that_is_gone_for_a_day_is_believed_no_more(
    settings: Settings, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.add("a")
    async with believing(settings, issuer) as client:
        token = issuer.token("a")
        assert await status(client, token) == 200
        issuer.up = False
        for name in ("PAUSE", "FRESH_FOR", "BELIEVED_FOR"):
            monkeypatch.setattr(keys, name, 0.0)
        assert await status(client, token) == 503
        issuer.up = True
        monkeypatch.setattr(keys, "BELIEVED_FOR", PATIENCE)
        assert await status(client, token) == 200


async def test_a_key_that_we_do_not_know_harms_no_other(settings: Settings, issuer: Issuer) -> None:
    issuer.add("a")
    odd = [{"kty": "EC", "crv": "P-999", "kid": "b", "x": "AA", "y": "AA"}, {"kty": "RSA", "kid": "c"}]
    odd += [{"kty": "OKP", "crv": "X25519", "kid": "d", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}]
    odd += [{"kty": "RSA", "n": "0vx7agoebGcQSuu", "e": "AQAB", "kid": "e", "alg": "RSA-OAEP-256"}]
    plain = issuer.jwks
    issuer.jwks = lambda: json.dumps({"keys": [*odd, *json.loads(plain())["keys"]]}).encode()  # type: ignore[method-assign]
    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a")) == 200


@pytest.mark.parametrize(
    "other",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": 10**400},
        {"nbf": time.time() + 3600},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"scope": ["stock:read"]},
    ],
)
async def test_a_token_that_is_not_for_us_or_not_now_is_not_good(
    settings: Settings, issuer: Issuer, other: dict[str, Any]
) -> None:
    issuer.add("a")
    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a", **other)) == 401
        answer = await client.get(PATH, headers={"Authorization": f"Bearer {issuer.token('a', **other)}"})
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def forged(header: dict[str, Any], key: bytes | None) -> str:
    """A token whose header says what we want, signed with a shared secret or not at all."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "scope": "stock:write", "exp": time.time() + 60}
    said = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims).encode())}"
    signature = hmac.new(key, said.encode(), hashlib.sha256).digest() if key is not None else b""
    return f"{said}.{part(signature)}"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_no_signature_and_a_public_key_as_a_secret_come_to_nothing(
    settings: Settings, issuer: Issuer, algorithm: str
) -> None:
    issuer.add("a", algorithm)
    public = issuer.keys["a"][1].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    async with believing(settings, issuer) as client:
        for name in ("none", "None", "NONE", ""):
            assert await status(client, forged({"alg": name, "kid": "a"}, None)) == 401
        for secret in (pem, pem.strip(), b"", json.dumps(issuer.jwks().decode()).encode()):
            assert await status(client, forged({"alg": "HS256", "kid": "a"}, secret)) == 401
        own = {"jwk": json.loads(ALGORITHMS[algorithm].to_jwk(private_key(algorithm).public_key()))}
        assert await status(client, forged({"alg": algorithm, "kid": "a", **own}, b"x")) == 401
        assert await status(client, forged({"alg": algorithm}, b"x")) == 401, "no key id"


async def test_a_shared_secret_in_the_key_set_signs_nothing(settings: Settings, issuer: Issuer) -> None:
    issuer.add("a")
    secret = b"s" * 32
    octets = {"kty": "oct", "kid": "shared", "alg": "HS256", "k": base64.urlsafe_b64encode(secret).decode().rstrip("=")}
    plain = issuer.jwks

    def with_secret() -> bytes:
        return json.dumps({"keys": [*json.loads(plain())["keys"], octets]}).encode()

    issuer.jwks = with_secret  # type: ignore[method-assign]
    async with believing(settings, issuer) as client:
        assert await status(client, issuer.token("a")) == 200
        assert await status(client, forged({"alg": "HS256", "kid": "shared"}, secret)) == 401


async def test_an_altered_token_is_not_good(settings: Settings, server: str, program: Connect) -> None:
    client = await program(at=server)
    head, _, signature = issue(settings, "reader", scope="stock:read", lasts=HOUR).split(".")
    claims = {"iss": settings.jwt_issuer, "aud": "stock", "sub": "reader", "scope": "stock:write", "exp": 9e9}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert await status(client, f"{head}.{body}.{signature}") == 401


async def test_a_token_that_was_good_ends_in_time(settings: Settings, anonymous: httpx2.AsyncClient) -> None:
    token = issue(settings, "somebody", lasts=timedelta(seconds=2))
    assert await status(anonymous, token) == 200
    while time.time() < jwt.decode(token, options={"verify_signature": False})["exp"]:
        time.sleep(0.1)  # noqa: ASYNC251  nobody else is to be served
    assert await status(anonymous, token) == 401, "remembered or not"


async def test_in_production_our_own_tokens_are_not_believed(settings: Settings, issuer: Issuer) -> None:
    issuer.add("a")
    theirs = {"environment": "production", "jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    production = settings.model_copy(update=theirs | {"trusted_proxies": ("127.0.0.1",)})
    headers = {"X-Forwarded-Proto": "https"}
    async with (
        serving(production) as address,
        httpx2.AsyncClient(base_url=address, timeout=PATIENCE, headers=headers) as client,
    ):
        assert await status(client, issuer.token("a")) == 200
        assert await status(client, issue(production, "somebody", lasts=HOUR)) == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Token x", "Bearer a.b.c"])
async def test_without_a_token_nobody_is_anybody(anonymous: httpx2.AsyncClient, header: str | None) -> None:
    answer = await anonymous.get(PATH, headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_wrong_scope_is_told_the_right_one(program: Connect) -> None:
    answer = await (await program("stock:read")).post(PATH, json={"sku": "A", "name": "A"})
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="stock:write"' in answer.headers["www-authenticate"]


async def test_who_is_unknown_makes_us_read_nothing(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.post(PATH, content=b"x" * 100_000)
    assert answer.status_code == 401, "before 413 and 415"


def test_every_route_has_a_scope_but_those_for_everybody(settings: Settings) -> None:
    free = set()
    for route in iter_route_contexts(create_app(settings).routes):
        original = getattr(route, "original_route", route)
        if not isinstance(original, Operation):
            free.add(getattr(route, "path", None))
        else:
            assert original.openapi_extra
            assert original.openapi_extra["security"] in ([{"token": ["stock:read"]}], [{"token": ["stock:write"]}])
    assert free == {"/", "/docs", "/api/v1/openapi.json", "/static", "/static/swagger"}
