"""People at the desk: one who may do everything, one who may only look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture(autouse=True)
def _plain_http(settings: Any) -> None:
    """The test client speaks no TLS."""
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def person_with(db: None) -> Callable[..., Client]:
    """A signed-in member of staff with the permissions given by codename."""

    def made(*codenames: str, name: str = "ada") -> Client:
        user = User.objects.create_user(username=name, is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return made


@pytest.fixture
def desk(db: None) -> Client:
    """A signed-in person who may do everything, called ada."""
    user = User.objects.create_superuser(username="ada")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
