"""The settings: one class, read from the environment and from `.env`. The names are the same in every starter."""

import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SHORTEST_SECRET = 32


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Names in one variable, with commas between them."""


class Settings(BaseSettings):
    """What differs from one installation to the next. Unset is safe: production, no host allowed, no proxy trusted."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    environment: Literal["production", "development", "test"] = "production"

    # Signs cursors, and the tokens of `python -m app token`: whoever changes it ends them.
    # Unset, it is a random one per process, which is enough for commands and tests; `serve` refuses to start.
    secret_key: SecretStr = Field(default_factory=lambda: SecretStr(secrets.token_urlsafe(SHORTEST_SECRET)))

    # Host names under which the site may be asked for, `*.example.com` for all below one.
    allowed_hosts: Names = ()

    # Addresses or networks of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    trusted_proxies: Names = ()

    # sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host/name
    database_url: str = "sqlite:///data.sqlite3"

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    web_concurrency: PositiveInt = 1
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # Where the keys of those who make tokens are read (RFC 7517). Unset, outside production only, tokens of
    # `python -m app token` are believed.
    jwks_url: str | None = None
    jwt_issuer: str = "development"
    jwt_audience: str = "stock"

    # Requests that a caller may make, and in how many seconds: 600/60.
    rate_limit: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,5}$")] = "600/60"

    # After that long a request is given up and answered 503.
    deadline_seconds: PositiveFloat = 10.0

    # For how long a process that is told to stop still lets requests in, while others take over.
    drain_seconds: Annotated[float, Field(ge=0)] = 1.0

    # Where `relay` publishes events: NATS JetStream, or a file when there is none.
    nats_url: str | None = None
    events_file: Path = Path("private/events.jsonl")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            url = None
        if url is None or url.drivername not in ("sqlite", "postgresql") or not url.database:
            raise ValueError("write sqlite:///file or postgresql://user:password@host/name")
        return value

    @property
    def production(self) -> bool:
        """True where people's data are: HTTPS is demanded, tokens come from elsewhere."""
        return self.environment == "production"

    @property
    def hosts(self) -> tuple[str, ...]:
        """ALLOWED_HOSTS; outside production the loopback names when nothing is set."""
        return self.allowed_hosts or (() if self.production else LOOPBACK)

    @property
    def database(self) -> URL:
        """DATABASE_URL for Alembic, which works without asyncio: psycopg, or Python's own sqlite3."""
        url = make_url(self.database_url)
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url

    @property
    def async_database(self) -> URL:
        """DATABASE_URL for the server: psycopg can both, SQLite needs aiosqlite."""
        url = self.database
        return url.set(drivername="sqlite+aiosqlite") if url.drivername == "sqlite" else url

    @property
    def allowance(self) -> tuple[int, int]:
        """RATE_LIMIT: requests, and the seconds of its window."""
        quota, _, window = self.rate_limit.partition("/")
        return int(quota), int(window)

    def faults(self) -> list[str]:
        """What keeps this installation from being served, one sentence each; empty when all is well."""
        found = []
        if "secret_key" not in self.model_fields_set:
            found.append("SECRET_KEY is not set. Make one: python -c 'import secrets; print(secrets.token_hex(32))'")
        elif len(self.secret_key.get_secret_value()) < SHORTEST_SECRET:
            found.append(f"SECRET_KEY is shorter than {SHORTEST_SECRET} characters.")
        if not self.hosts:
            found.append("ALLOWED_HOSTS is not set. Name the hosts that people type, with commas between them.")
        if self.production and not (self.jwks_url and "jwt_issuer" in self.model_fields_set):
            found.append("JWKS_URL and JWT_ISSUER are not set. Whose tokens are believed?")
        elif self.production and not str(self.jwks_url).startswith("https://"):
            found.append("JWKS_URL is not https: whoever is on the way could put their keys there.")
        return found

    def warnings(self) -> list[str]:
        """What is allowed but seldom meant in production, one sentence each."""
        found = []
        if not self.production:
            found.append(f"ENVIRONMENT is {self.environment!r}: no HTTPS is demanded, and our own tokens are believed.")
        if "*" in self.hosts:
            found.append("ALLOWED_HOSTS has '*': any Host header is believed.")
        if "*" in self.trusted_proxies:
            found.append("TRUSTED_PROXIES has '*': anybody can choose the address that logs see.")
        if self.database.drivername == "sqlite" and self.web_concurrency > 1:
            found.append("SQLite with several processes: it works, with one writer at a time. See the README, Grow it.")
        return found
