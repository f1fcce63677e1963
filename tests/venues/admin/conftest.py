"""A person at the back office."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories as make


@pytest.fixture
def officer(settings, db) -> Client:
    """The risk officer, who may do everything."""
    settings.SECURE_SSL_REDIRECT = False
    client = Client()
    client.force_login(make.superuser())
    return client
