"""Brokers: what carries hints between processes and hosts. Delete the files of those that you do not use."""

from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict

from app.broker import Broker
from app.brokers.nats import NatsBroker
from app.brokers.postgresql import PostgresqlBroker
from app.brokers.valkey import ValkeyBroker
from app.extras import Extra
from app.settings import Settings


class BrokerSettings(BaseSettings):
    """Which one, and where. Without one, news of another process come by looking, every two seconds."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    broker: Literal["none", "postgresql", "valkey", "nats"] = "none"
    valkey_url: str = "valkey://127.0.0.1:6379"
    nats_url: str = "nats://127.0.0.1:4222"


def make_broker(settings: Settings) -> Broker | None:
    """The broker that BROKER names."""
    given = BrokerSettings()
    match given.broker:
        case "postgresql":
            return PostgresqlBroker(settings.database_url)
        case "valkey":
            return ValkeyBroker(given.valkey_url)
        case "nats":
            return NatsBroker(given.nats_url)
        case _:
            return None


def faults(settings: Settings) -> list[str]:
    """What does not go together."""
    if BrokerSettings().broker == "postgresql" and settings.database.drivername == "sqlite":
        return ["BROKER is postgresql, DATABASE_URL is not. Take valkey or nats, or PostgreSQL for both."]
    return []


extra = Extra(broker=make_broker, faults=faults)
