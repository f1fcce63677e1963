"""What confirmed trades add up to, one row per market."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from hedging.admin import colours
from hedging.models import Position
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, link_cell, moment_cell, names_of, size_cell, usd_cell

_ROWS_SHOWN = 100


@admin.register(Position)
class PositionAdmin(CardsAdmin):
    """Units held on one market, and what they cost."""

    list_display = ["market", "venue_name", "n_size", "n_cost", "n_average", "n_fees", "n_pnl", "changed"]
    list_filter = ["venue"]
    list_select_related = ["instrument", "venue"]
    search_fields = ["instrument__question", "instrument__slug"]
    search_help_text = "Question or slug of the market"
    ordering = ["-cost_usd"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "market_link",
                    ("venue_name", "n_size"),
                    ("n_cost", "n_average"),
                    ("n_fees", "n_pnl"),
                    ("opened_full", "changed_full"),
                ]
            },
        ),
    ]
    readonly_fields = names_of(fieldsets)

    market = cell("instrument", "Market", how=str, order="instrument")
    market_link = link_cell("instrument", "Market")
    venue_name = cell("venue.name", "Venue", how=str)
    n_size = size_cell("size", "Units held")
    n_cost = usd_cell("cost_usd", "Paid for them")
    n_fees = usd_cell("fees_usd", "Fees ever paid")
    n_pnl = usd_cell("realised_pnl_usd", "Realised P&L")
    changed = ago_cell("updated_at", "Changed")
    opened_full = moment_cell("opened_at", "Opened")
    changed_full = moment_cell("updated_at", "Changed")

    @admin.display(description="Cost per unit")
    def n_average(self, row: Position) -> str:
        return display.price(row.cost_usd / row.size if row.size else None)

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        fills = row.instrument.fills.order_by("-id")[:_ROWS_SHOWN]
        return [
            Card(
                f"Trades on this market (the newest {_ROWS_SHOWN})",
                display.table(
                    ["Trade", "Side", ">Units", ">Price", ">Amount", ">Fee", "Settlement", "Matched"],
                    [
                        (
                            display.admin_link(fill, display.short_id(fill.venue_trade_id)),
                            display.badge(display.word(fill.side), colours.SIDE[fill.side]),
                            display.size(fill.size),
                            display.price(fill.price),
                            display.usd(fill.notional_usd),
                            display.usd(fill.fee_usd),
                            display.badge(
                                display.word(fill.settlement), colours.SETTLEMENT.get(fill.settlement, "grey")
                            ),
                            display.moment(fill.matched_at),
                        )
                        for fill in fills
                    ],
                ),
            )
        ]
