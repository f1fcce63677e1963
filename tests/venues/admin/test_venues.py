"""The venue's page: reachable or not, and what it last said (that every page answers: tests/hedging/admin)."""

from __future__ import annotations

from django.contrib.admin.utils import quote
from django.urls import reverse

from tests import factories as make


def read(client, code: str) -> str:
    return client.get(reverse("admin:venues_venue_change", args=[quote(code)])).content.decode()


def test_a_venue_without_a_gateway_says_what_that_costs(officer):
    make.venues()
    assert "share of every required hedge stays unhedged" in read(officer, "binance_futures")
    assert "stays unhedged" not in read(officer, "polymarket")


def test_a_venues_last_error_and_balance_are_shown(officer):
    at = make.venue("polymarket", last_error="<b>order</b> timed out", last_error_at=make.NOW)
    make.balance(at, "250000.50")
    html = read(officer, "polymarket")
    assert "&lt;b&gt;order&lt;/b&gt; timed out" in html
    assert "$250,000.50" in html
    assert "2026-11-21 12:00:00 UTC" in html
