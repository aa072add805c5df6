"""What tests get."""

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
