"""`docs/asyncapi.yaml` from the messages that the code has: `uv run --group test python -m tests.live.asyncapi`."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.extras import all_extras
from app.live.schemas import FromClient, FromServer

FILE = Path(__file__).parent.parent.parent / "docs" / "asyncapi.yaml"


def document() -> dict[str, Any]:
    """The protocol of `/ws` as an AsyncAPI 3.0 document; the messages of extras are in it too."""
    all_extras()
    sent, received = _named(FromClient), _named(FromServer)
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in sent.values()]
    inputs += [(model, "serialization") for model in received.values()]
    _, definitions = models_json_schema(inputs, ref_template="#/components/schemas/{model}")
    messages = {
        name: {"summary": _first_line(model), "payload": {"$ref": f"#/components/schemas/{model.__name__}"}}
        for name, model in (sent | received).items()
    }

    def operation(action: str, names: dict[str, Any]) -> dict[str, Any]:
        found = [{"$ref": f"#/channels/live/messages/{name}"} for name in names]
        return {"action": action, "channel": {"$ref": "#/channels/live"}, "messages": found}

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Team rooms, live", "version": "1", "description": "JSON, one object per text frame."},
        "channels": {
            "live": {
                "address": "/ws",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {"ask": operation("receive", sent), "tell": operation("send", received)},
        "components": {"messages": messages, "schemas": definitions["$defs"]},
    }


def _named(base: type[Any]) -> dict[str, type[Any]]:
    return {model.__name__: model for model in sorted(base.__subclasses__(), key=lambda model: model.__name__)}


def _first_line(model: type[Any]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    FILE.write_text(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
