"""Decisions: what we wanted, how far it got, and how it ended."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant

from hedging.admin import colours
from hedging.models import Intent
from hedging.services.intents import intent_give_up
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import (
    ago_cell,
    badge_cell,
    cell,
    count_cell,
    link_cell,
    moment_cell,
    names_of,
    price_cell,
    size_cell,
    usd_cell,
)
from tonsurance.plumbing.verbs import actor_of, ask_and_do, row_of

_DEMANDS_SHOWN = 200


@admin.register(Intent)
class IntentAdmin(CardsAdmin):
    """One decision to trade one instrument."""

    list_display = [
        "short",
        "state_word",
        "side_word",
        "n_size",
        "n_notional",
        "n_limit",
        "market",
        "cycle_link",
        "ended",
        "made",
    ]
    list_filter = ["state", "purpose", "side", "venue"]
    list_select_related = ["instrument", "cycle"]
    search_fields = ["decision_key"]
    search_help_text = "Decision key"
    ordering = ["-id"]
    actions_detail = ["give_up"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("state_word", "purpose_word"),
                    "ended",
                    "market_link",
                    ("side_word", "n_size"),
                    ("n_notional", "n_limit"),
                ]
            },
        ),
        (
            "Origin",
            {
                "fields": [
                    ("cycle_link", "requested_by"),
                    "decision",
                    ("made_full", "valid_full"),
                    ("lane", "rests_full"),
                ]
            },
        ),
        ("Progress", {"fields": [("n_tries", "next_full"), "finished_full"]}),
    ]
    readonly_fields = names_of(fieldsets)

    short = cell("pk", "Intent", how=display.short_id, order="")
    state_word = badge_cell("state", "State", colours=colours.INTENT)
    purpose_word = cell("purpose", "Purpose", how=lambda word: Intent.Purpose(word).label)
    n_size = size_cell("size", "Units")
    n_notional = usd_cell("notional_usd", "Amount")
    n_limit = price_cell("price_limit", "Price limit")
    n_tries = count_cell("dispatch_count", "Tries")
    market = cell("instrument", "Market", how=str, order="instrument")
    market_link = link_cell("instrument", "Market")
    cycle_link = link_cell("cycle", "Cycle", order="cycle_id")
    ended = cell("outcome", "How it stands", how=lambda text: text or display.NOTHING, order="")
    decision = cell("decision_key", "Decision key", how=display.short_hash, order="")
    made = ago_cell("created_at", "Decided")
    made_full = moment_cell("created_at", "Decided")
    valid_full = moment_cell("valid_until", "Valid until")
    lane = cell("leg", "Lane", how=display.word)
    rests_full = moment_cell("rest_until", "Rests until")
    next_full = moment_cell("next_attempt_at", "Next try")
    finished_full = moment_cell("finished_at", "Finished")

    @admin.display(description="Side", ordering="side")
    def side_word(self, row: Intent) -> SafeString:
        word = colours.side_of(row.side, row.time_in_force)
        return display.badge(display.word(word), colours.SIDE[word])

    def alarm(self, row: Any) -> str:
        return f"Parked, a person is needed: {row.outcome}" if row.state == Intent.State.PARKED else ""

    @action(
        description="Give up",
        url_path="give-up",
        permissions=["verb"],
        icon="do_not_disturb_on",
        variant=ActionVariant.DANGER,
    )
    def give_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End a parked decision, so that its market gets new ones."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            intent_give_up(UUID(str(row.pk)), actor=actor_of(request), reason=data["reason"], now=utc_now())
            return f"Decision {display.short_id(row.pk)} is given up; the next cycle decides anew"

        return ask_and_do(
            self,
            request,
            row,
            title="Give the decision up",
            sentence=f"Decision {display.short_id(row.pk)} ends; what it has bought stays. Its market may get a new "
            "one from the next cycle on. Only a parked decision without a live order can be given up.",
            act=act,
            button="Give it up",
            is_dangerous=True,
        )

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        orders = [
            (
                display.admin_link(order, display.short_id(order.pk)),
                display.badge(display.word(order.state), colours.ORDER.get(order.state, "grey")),
                display.size(order.size),
                display.usd(order.notional_usd),
                display.usd(order.filled_usd),
                order.reason,
            )
            for order in row.orders.order_by("generation")
        ]
        return [
            Card(
                "Orders",
                display.table(
                    ["Order", "State", ">Units", ">Amount", ">Filled", "Reason"], orders, empty="No order yet"
                ),
            ),
            _wanted(row) if row.purpose == Intent.Purpose.OPEN else _sold(row),
        ]


def _wanted(row: Intent) -> Card:
    demands = row.demands.select_related("product").order_by("-weight_usd")[:_DEMANDS_SHOWN]
    return Card(
        "Products that asked for it",
        display.table(
            ["Product", ">Payout wanted"], [(part.product, display.usd(part.weight_usd)) for part in demands]
        ),
    )


def _sold(row: Intent) -> Card:
    slices = row.slices.select_related("hedge_position__policy").order_by("pk")[:_DEMANDS_SHOWN]
    return Card(
        f"Hedge positions that it sells (the first {_DEMANDS_SHOWN})",
        display.table(
            ["Hedge position", "Policy", ">Units"],
            [
                (
                    display.admin_link(part.hedge_position),
                    display.admin_link(part.hedge_position.policy),
                    display.size(part.size),
                )
                for part in slices
            ],
        ),
    )
