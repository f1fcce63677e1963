"""Where hedges can go: reachable or not, what it last said, what we have there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, names_of, text_cell
from venues.models import Venue
from venues.selectors.limits import LimitState, limits_of
from venues.services.venues import venue_codes_with_gateway

_BALANCES_SHOWN = 50


@admin.register(Venue)
class VenueAdmin(CardsAdmin):
    """One venue."""

    list_display = ["venue_name", "kind_word", "gateway", "switch", "seen", "complaint"]
    list_display_links = ["venue_name"]
    ordering = ["position", "code"]
    fieldsets = [
        (None, {"fields": ["venue_name", "kind_word", "gateway", "switch"]}),
        ("Line", {"fields": ["seen_full", "complaint", "complained_full"]}),
    ]
    readonly_fields = names_of(fieldsets)

    venue_name = cell("name", "Venue", how=str)
    kind_word = cell("kind", "Kind", how=lambda word: Venue.Kind(word).label)
    switch = cell("is_enabled", "New hedges", how=lambda on: display.yes_no(on, yes="Allowed", no="Off"))
    seen = ago_cell("last_seen_at", "Last answer")
    seen_full = moment_cell("last_seen_at", "Last answer")
    complaint = text_cell("last_error", "Last error")
    complained_full = moment_cell("last_error_at", "Last error at")

    @admin.display(description="Gateway")
    def gateway(self, row: Venue) -> SafeString:
        if row.code in venue_codes_with_gateway():
            return display.badge("Connected", "green")
        return display.badge("No gateway", "orange", title="Its share of every hedge stays unhedged")

    def alarm(self, row: Any) -> str:
        if row.code in venue_codes_with_gateway():
            return ""
        return "No gateway: this venue's share of every required hedge stays unhedged (Configuration, venueShares)."

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        limits = limits_of(row.code, now=utc_now())
        balances = row.balances.order_by("-taken_at", "-id")[:_BALANCES_SHOWN]
        rows = [(display.moment(item.taken_at), item.currency, display.usd(item.total)) for item in balances]
        return [
            Card(
                "Rate limits, shared by all workers",
                display.table(
                    ["Limit", ">Left", ">Of", ">Per second", "Tier", "Warned"],
                    [_limit(item) for item in limits],
                )
                if limits
                else display.text_block("Nothing was asked of this venue yet."),
            ),
            Card(
                f"Balances (the newest {_BALANCES_SHOWN})",
                display.table(["When", "Currency", ">Total"], rows),
            ),
        ]


def _limit(item: LimitState) -> tuple[Any, ...]:
    wait = f" (waits until {display.moment_text(item.blocked_until)})" if item.blocked_until else ""
    return (
        item.name,
        f"{item.tokens:,.0f}{wait}",
        f"{item.capacity:,.0f}",
        f"{item.rate:,.0f}",
        item.tier or display.NOTHING,
        display.ago(item.warned_at),
    )
