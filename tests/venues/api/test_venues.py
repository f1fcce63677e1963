"""The venues as machines read them."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories as make

pytestmark = pytest.mark.django_db


def test_venues_say_whether_they_can_be_reached_and_what_they_said_last(ask):
    make.venues()
    make.venue("polymarket", last_seen_at=make.NOW, last_error="order timed out", last_error_at=make.NOW)

    status, body = ask("/api/v2/venues")

    assert status == 200
    assert body["count"] == 3
    assert [(row["code"], row["has_gateway"]) for row in body["results"]] == [
        ("polymarket", True),
        ("binance_futures", False),
        ("allianz", False),
    ]
    assert body["results"][0]["last_seen_at"] == "2026-11-21T12:00:00Z"
    assert body["results"][0]["last_error"] == "order timed out"


def test_without_a_key_nothing_is_told(settings):
    settings.SECURE_SSL_REDIRECT = False
    assert Client().get("/api/v2/venues").status_code == 401
