"""Clients of the API with keys of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tonsurance.plumbing.models import ApiKey


@pytest.fixture(autouse=True)
def _plain_http(settings: Any) -> None:
    """The test client speaks no TLS."""
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def client_with(db: None) -> Callable[..., APIClient]:
    """A client whose key has the scopes given; the same name is the same client."""

    def made(*scopes: str, name: str = "shop") -> APIClient:
        user, _ = User.objects.get_or_create(username=name)
        _, spelling = ApiKey.objects.create(user, name=name, scopes=scopes)
        client = APIClient(headers={"Authorization": f"Token {spelling}"})
        client.default_format = "json"
        return client

    return made


@pytest.fixture
def shop(client_with: Callable[..., APIClient]) -> APIClient:
    """A client that may read and write."""
    return client_with("read", "write")
