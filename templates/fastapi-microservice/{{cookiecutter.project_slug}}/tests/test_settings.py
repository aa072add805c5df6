"""The settings: safe when unset, clear when wrong."""

import pytest
from pydantic import ValidationError

from app.settings import Settings


def read(**values: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in values.items():
            patch.setenv(name, value)
        return Settings(_env_file=None)


def test_unset_means_production_without_hosts() -> None:
    settings = read()
    assert settings.production
    assert settings.hosts == ()
    assert settings.trusted_proxies == ()
    assert len(settings.faults()) == 3


def test_a_missing_secret_is_another_one_each_time() -> None:
    assert read().secret_key != read().secret_key


def test_lists_have_commas() -> None:
    assert read(ALLOWED_HOSTS="a.example, b.example,").hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("url", "plain", "asynchronous"),
    [
        ("sqlite:///data.sqlite3", "sqlite", "sqlite+aiosqlite"),
        ("postgresql://a:b@host/name", "postgresql+psycopg", "postgresql+psycopg"),
    ],
)
def test_the_driver_is_ours_to_choose(url: str, plain: str, asynchronous: str) -> None:
    settings = read(DATABASE_URL=url)
    assert settings.database.drivername == plain
    assert settings.async_database.drivername == asynchronous


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "sqlite://", "postgresql://host"])
def test_an_unknown_database_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="write sqlite:///file or postgresql"):
        read(DATABASE_URL=url)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": "short"}, "shorter than 32"),
        ({"SECRET_KEY": "x" * 32}, "ALLOWED_HOSTS is not set"),
        ({"JWKS_URL": "https://issuer.example/jwks.json"}, "JWKS_URL and JWT_ISSUER are not set"),
        ({"JWKS_URL": "http://issuer.example/", "JWT_ISSUER": "i"}, "JWKS_URL is not https"),
        ({"ENVIRONMENT": "development"}, "our own tokens are believed"),
        ({"ALLOWED_HOSTS": "*"}, "any Host header"),
        ({"TRUSTED_PROXIES": "*"}, "anybody can choose the address"),
        ({"WEB_CONCURRENCY": "4"}, "one writer at a time"),
    ],
)
def test_what_is_wrong_for_production_is_said(values: dict[str, str], words: str) -> None:
    settings = read(**values)
    assert any(words in sentence for sentence in settings.faults() + settings.warnings())


def test_a_good_installation_has_no_fault() -> None:
    issuer = {"JWKS_URL": "https://issuer.example/jwks.json", "JWT_ISSUER": "https://issuer.example"}
    settings = read(SECRET_KEY="x" * 32, ALLOWED_HOSTS="stock.example", **issuer)
    assert settings.faults() + settings.warnings() == []


def test_an_allowance_is_requests_and_seconds() -> None:
    assert read().allowance == (600, 60)
    assert read(RATE_LIMIT="20/3600").allowance == (20, 3600)


@pytest.mark.parametrize("limit", ["600", "0/60", "60/0", "a/b", "600/60/1", " 600/60"])
def test_an_allowance_that_means_nothing_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError):
        read(RATE_LIMIT=limit)
