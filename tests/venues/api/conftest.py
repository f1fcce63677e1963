"""A caller with a read key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import factories as make


@pytest.fixture
def ask(settings, db) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Ask an address with a read key; returns status and body."""
    settings.SECURE_SSL_REDIRECT = False
    client, key = Client(), make.api_key("read")

    def call(address: str, **query: Any) -> tuple[int, dict[str, Any]]:
        response = client.get(address, query or None, headers={"Authorization": f"Token {key}"})
        return response.status_code, response.json()

    return call
