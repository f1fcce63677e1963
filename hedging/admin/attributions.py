"""Hedge positions: which policy owns which slice of which trade."""

from __future__ import annotations

from django.contrib import admin

from hedging.admin import colours
from hedging.models import Attribution, HedgePosition
from tonsurance.plumbing import display
from tonsurance.plumbing.admin import ReadOnlyAdmin
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


def division_words(row: Attribution) -> str:
    """How the purchases were divided, in a sentence."""
    trades = "one trade" if row.fills_count == 1 else f"{row.fills_count} trades"
    policies = "one policy" if row.slices_count == 1 else f"{row.slices_count:,} policies"
    kept = f"; {display.size_text(row.ownerless_size)} units had no owner" if row.ownerless_size else ""
    return f"{display.size_text(row.size)} units of {trades} among {policies}{kept}"


@admin.register(HedgePosition)
class HedgePositionAdmin(ReadOnlyAdmin):
    """One policy's part of the confirmed purchases of one decision."""

    list_display = [
        "position_id",
        "state_word",
        "policy_name",
        "product_words",
        "market",
        "n_size",
        "n_paid",
        "n_price",
        "n_pnl",
        "entered",
    ]
    list_filter = ["status", "venue"]
    list_select_related = ["policy", "product", "instrument"]
    search_fields = ["policy__external_id__exact"]
    search_help_text = "External id of a policy, in full"
    ordering = ["-id"]
    # Only columns with an index: a click must not sort a million rows.
    sortable_by: list[str] = []
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("state_word", "policy_link"),
                    ("product_link", "market_link"),
                    ("n_size", "n_paid"),
                    ("n_price", "entered_full"),
                    ("attribution_words", "order_link"),
                ]
            },
        ),
        ("Sold", {"fields": [("n_closed", "n_proceeds"), ("n_pnl", "closed_full")]}),
    ]
    readonly_fields = names_of(fieldsets)

    position_id = cell("position_id", "Position", how=str, order="")
    state_word = badge_cell("status", "State", colours=colours.SLICE)
    policy_name = cell("policy", "Policy", how=str, order="")
    policy_link = link_cell("policy", "Policy")
    product_words = cell("product", "Product", how=str, order="")
    product_link = link_cell("product", "Product")
    market = cell("instrument", "Market", how=str, order="")
    market_link = link_cell("instrument", "Market")
    n_size = size_cell("size", "Units")
    n_paid = usd_cell("hedge_amount_usd", "Paid, fees included")
    n_price = price_cell("entry_price", "Entry price")
    n_closed = size_cell("closed_size", "Units sold")
    n_proceeds = usd_cell("proceeds_usd", "Received, after fees")
    n_pnl = usd_cell("realised_pnl_usd", "Realised P&L")
    entered = ago_cell("entry_time", "Entered")
    entered_full = moment_cell("entry_time", "Entered")
    closed_full = moment_cell("close_time", "Closed")
    attribution_words = cell("attribution", "Divided", how=division_words, order="")
    order_link = cell(
        "attribution.order",
        "Newest order",
        how=lambda row: display.admin_link(row, display.short_id(row.pk)),
        order="",
    )
