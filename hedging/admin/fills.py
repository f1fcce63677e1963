"""Trades of our orders. Only a confirmed one is a hedge."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hedging.admin import colours
from hedging.models import Fill
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import (
    ago_cell,
    badge_cell,
    cell,
    link_cell,
    moment_cell,
    names_of,
    price_cell,
    size_cell,
    usd_cell,
)


@admin.register(Fill)
class FillAdmin(CardsAdmin):
    """What traded, and how far its settlement is."""

    list_display = [
        "side_word",
        "n_size",
        "n_price",
        "n_notional",
        "n_fee",
        "state",
        "market",
        "order_link",
        "matched",
    ]
    list_filter = ["settlement", "side", "venue"]
    list_select_related = ["instrument", "order"]
    search_fields = ["venue_trade_id", "transaction_hash", "order__client_order_id"]
    search_help_text = "Trade id, transaction or order name at the venue"
    ordering = ["-id"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "market_link",
                    ("order_link", "side_word"),
                    ("n_size", "n_price"),
                    ("n_notional", "n_fee"),
                ]
            },
        ),
        (
            "Settlement",
            {"fields": [("state", "n_pnl"), ("matched_full", "settled_full"), ("trade", "transaction")]},
        ),
    ]
    readonly_fields = names_of(fieldsets)

    n_size = size_cell("size", "Units")
    n_price = price_cell("price", "Price")
    n_notional = usd_cell("notional_usd", "Amount")
    n_fee = usd_cell("fee_usd", "Fee")
    n_pnl = usd_cell("realised_pnl_usd", "Realised P&L")
    state = badge_cell("settlement", "Settlement", colours=colours.SETTLEMENT)
    market = cell("instrument", "Market", how=str, order="instrument")
    market_link = link_cell("instrument", "Market")
    order_link = cell(
        "order", "Order", how=lambda row: display.admin_link(row, display.short_id(row.pk)), order=""
    )
    matched = ago_cell("matched_at", "Matched")
    matched_full = moment_cell("matched_at", "Matched")
    settled_full = moment_cell("settled_at", "Settled")
    trade = cell("venue_trade_id", "Trade at the venue", how=display.short_hash)
    transaction = cell("transaction_hash", "Transaction", how=display.short_hash)

    @admin.display(description="Side", ordering="side")
    def side_word(self, row: Fill) -> SafeString:
        word = colours.side_of(row.side, row.order.time_in_force)
        return display.badge(display.word(word), colours.SIDE[word])

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        steps = [
            (display.word(e.old or "born"), display.word(e.new), display.moment(e.at))
            for e in row.events.all()
        ]
        slices = (
            row.attribution.hedge_positions.select_related("policy", "product").order_by("pk")[:200]
            if row.attribution
            else []
        )
        return [
            Card("Settlement, step by step", display.table(["From", "To", "When"], steps)),
            Card(
                "Policies that it hedges, with the other trades of its decision (the first 200)",
                display.table(
                    ["Policy", "Product", ">Units", ">Paid", "State"],
                    [
                        (
                            display.admin_link(part.policy),
                            part.product,
                            display.size(part.size),
                            display.usd(part.hedge_amount_usd),
                            display.word(part.status),
                        )
                        for part in slices
                    ],
                    empty="No policy: confirmed purchases are divided when their decision has ended",
                ),
            ),
        ]
