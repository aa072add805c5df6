"""What a server imports: nothing that requests do not need."""

import subprocess
import sys

import pytest

from tests.processes import PROJECT, clean_environment

NOT_NEEDED = ["alembic", "httpx2", "jinja2", "nats", "typer", "pytest", "yaml", "opentelemetry.sdk"]


@pytest.mark.parametrize("name", NOT_NEEDED)
def test_the_application_is_made_without(name: str) -> None:
    program = f"import sys, app.asgi; sys.exit({name!r} in sys.modules)"
    environment = clean_environment() | {"ENVIRONMENT": "test"}
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, env=environment, check=False)
    assert done.returncode == 0, f"{name} is imported"
