"""Runs of the orchestrator: totals, and the reason of every leg, with the book it rested on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hedging.admin import colours
from hedging.models import Cycle
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import (
    ago_cell,
    badge_cell,
    cell,
    count_cell,
    moment_cell,
    names_of,
    text_cell,
    usd_cell,
)

LEGS_SHOWN = 300


@admin.register(Cycle)
class CycleAdmin(CardsAdmin):
    """One reading, one plan, one write."""

    list_display = [
        "name",
        "state_word",
        "mode_word",
        "cause_word",
        "began",
        "n_products",
        "n_coverage",
        "n_required",
        "n_planned",
        "n_payout",
        "n_intents",
    ]
    list_filter = ["state", "mode", "cause"]
    ordering = ["-id"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("state_word", "mode_word"),
                    ("cause_word", "environment"),
                    "cause_sentence",
                    ("began_full", "finished_full"),
                    "fault",
                ]
            },
        ),
        ("What it saw", {"fields": [("n_policies", "n_products"), ("n_coverage", "n_required")]}),
        ("What it decided", {"fields": [("n_hedged", "n_intents"), ("n_planned", "n_payout")]}),
    ]
    readonly_fields = names_of(fieldsets)

    name = cell("pk", "Cycle", how=lambda pk: f"Cycle {pk}", order="id")
    state_word = badge_cell("state", "Result", colours=colours.CYCLE)
    cause_word = cell("cause", "Woken by", how=display.word)
    cause_sentence = text_cell("cause_detail", "Because")
    began = ago_cell("as_of", "Began")
    began_full = moment_cell("as_of", "Began")
    finished_full = moment_cell("finished_at", "Finished")
    fault = text_cell("error", "Error")
    n_policies = count_cell("policies_count", "Policies")
    n_products = count_cell("products_count", "Products with exposure")
    n_coverage = usd_cell("coverage_usd", "Coverage")
    n_required = usd_cell("required_usd", "Hedge required")
    n_hedged = count_cell("products_hedged_count", "Products hedged")
    n_planned = usd_cell("planned_usd", "To spend")
    n_payout = usd_cell("planned_payout_usd", "Pays out")
    n_intents = count_cell("intents_count", "Intents")

    @admin.display(description="Mode", ordering="mode")
    def mode_word(self, row: Cycle) -> SafeString:
        return display.badge(row.get_mode_display(), colours.MODE.get(row.mode, "grey"))

    def alarm(self, row: Any) -> str:
        return f"This run failed and decided nothing: {row.error}" if row.state == Cycle.State.FAILED else ""

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        return [
            Card("Reasons, summed", _reasons(row)),
            Card("Per market: all demand bundled", _targets(row)),
            Card(
                f"Per product and venue: every reason (the {LEGS_SHOWN} legs with most left unhedged)",
                _legs(row),
            ),
            Card(
                "Settings that it used",
                display.facts(sorted((str(name), str(value)) for name, value in row.config.items())),
            ),
        ]


def reason_badge(reason: str) -> SafeString:
    """A leg's reason as a badge; words in capitals are the plan's own codes."""
    return display.badge(display.word(reason), "grey")


def _reasons(row: Cycle) -> SafeString:
    groups = (
        row.legs.values("venue__name", "venue__position", "outcome", "reason")
        .annotate(
            legs=Count("id"),
            required=Sum("required_usd"),
            planned=Sum("planned_usd"),
            unhedged=Sum("unfilled_usd"),
        )
        .order_by("venue__position", "-unhedged", "reason")
    )
    return display.table(
        ["Venue", "Outcome", "Reason", ">Products", ">Share required", ">To spend", ">Left unhedged"],
        [
            (
                group["venue__name"],
                _outcome(group["outcome"]),
                reason_badge(group["reason"]),
                display.count(group["legs"]),
                display.usd(group["required"]),
                display.usd(group["planned"]),
                display.usd(group["unhedged"]),
            )
            for group in groups
        ],
    )


def _targets(row: Cycle) -> SafeString:
    targets = row.targets.select_related("instrument", "book").order_by("-notional_usd", "id")[:LEGS_SHOWN]
    return display.table(
        [
            "Market",
            "Side",
            ">Units",
            ">Amount",
            ">Fee",
            ">Average price",
            ">Price limit",
            "Book",
            "Reason",
            "In words",
        ],
        [
            (
                display.admin_link(target.instrument),
                display.badge(display.word(target.side), colours.SIDE.get(target.side, "grey")),
                display.size(target.size),
                display.usd(target.notional_usd),
                display.usd(target.fee_usd),
                display.price(target.price_average),
                display.price(target.price_limit),
                _book(target.book),
                reason_badge(target.reason),
                target.sentence or display.NOTHING,
            )
            for target in targets
        ],
        empty="Nothing was wanted on any market",
    )


def _book(book: Any) -> str:
    if book is None:
        return "No book"
    return f"{display.price_text(book.best_bid)} / {display.price_text(book.best_ask)} at {book.taken_at:%H:%M:%S}"


def _legs(row: Cycle) -> SafeString:
    legs = row.legs.select_related("product", "venue").order_by(
        "-unfilled_usd", "product_id", "venue__position"
    )[:LEGS_SHOWN]
    return display.table(
        [
            "Product and venue",
            "Outcome",
            ">Share required",
            ">To spend",
            ">Left unhedged",
            "In words",
        ],
        [
            (
                f"{leg.product}, {leg.venue.name}",
                format_html("{} {}", _outcome(leg.outcome), reason_badge(leg.reason)),
                display.usd(leg.required_usd),
                display.usd(leg.planned_usd),
                display.usd(leg.unfilled_usd),
                leg.sentence or display.NOTHING,
            )
            for leg in legs
        ],
        empty="No product had exposure",
    )


def _outcome(word: str) -> SafeString:
    return display.badge(display.word(word), colours.OUTCOME.get(word.replace(" ", "_"), "grey"))
