"""What was said to the venues: state, worst case, every change, every send, every trade.

The signed bytes are shown without their signature and keys: whoever holds them whole could send them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from hedging.admin import colours
from hedging.admin.payloads import redacted
from hedging.models import Order
from hedging.services.cancels import orders_cancel
from hedging.services.resolver import order_check
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
from tonsurance.plumbing.verbs import NoQuestions, ReasonForm, actor_of, ask_and_do, row_of

IN_DOUBT = ("UNKNOWN", "MANUAL")
_GROUPS = {
    "eyes": ("Needs eyes: unknown or manual", IN_DOUBT),
    "flight": ("In flight", ("PREPARED", "SENDING", "ACKED", "PARTIAL")),
    "filled": ("Filled", ("FILLED",)),
    "ended": ("Ended short of full", ("CANCELLED", "EXPIRED", "REJECTED", "NOT_PLACED", "ABORTED")),
}


class Standing(admin.SimpleListFilter):
    """The states by what they ask of a person."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in _GROUPS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        chosen = _GROUPS.get(self.value() or "")
        return queryset.filter(state__in=chosen[1]) if chosen else queryset


@admin.register(Order)
class OrderAdmin(CardsAdmin):
    """One signed order."""

    list_display = [
        "short",
        "state_word",
        "side_word",
        "n_size",
        "n_notional",
        "n_filled",
        "n_limit",
        "n_sends",
        "market",
        "why",
        "made",
    ]
    list_filter = [Standing, "state", "side", "venue"]
    list_select_related = ["instrument"]
    search_fields = ["client_order_id", "venue_order_id"]
    search_help_text = "The order's name at the venue"
    ordering = ["-id"]
    actions_detail = ["look_up_now", "cancel_at_venue"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("state_word", "side_word"),
                    "why",
                    "market_link",
                    ("n_size", "n_notional"),
                    ("n_limit", "n_worst"),
                ]
            },
        ),
        ("What traded", {"fields": [("n_filled_size", "n_filled"), ("n_fee", "n_reported")]}),
        (
            "Identity",
            {
                "fields": [
                    ("name_at_venue", "venue_id_word"),
                    ("intent_link", "n_generation"),
                    ("time_in_force", "bytes_sha"),
                ]
            },
        ),
        (
            "In time",
            {
                "fields": [
                    ("made_full", "sent_full"),
                    ("acked_full", "fence_full"),
                    ("expires_full", "rests_word"),
                    ("next_full", "n_sends"),
                    "n_proofs",
                ]
            },
        ),
    ]
    readonly_fields = names_of(fieldsets)

    short = cell("pk", "Order", how=display.short_id, order="")
    state_word = badge_cell("state", "State", colours=colours.ORDER)
    n_size = size_cell("size", "Units")
    n_notional = usd_cell("notional_usd", "Amount")
    n_filled = usd_cell("filled_usd", "Filled")
    n_filled_size = size_cell("filled_size", "Units filled")
    n_reported = size_cell("reported_size", "Units that the venue says have matched")
    n_fee = usd_cell("fee_usd", "Fees")
    n_limit = price_cell("price_limit", "Price limit")
    n_sends = count_cell("attempts", "Sends")
    n_proofs = count_cell("absent_proofs", "Proofs of absence (two are needed)")
    n_generation = count_cell("generation", "Generation")
    market = cell("instrument", "Market", how=str, order="instrument")
    market_link = link_cell("instrument", "Market")
    intent_link = cell(
        "intent", "Intent", how=lambda row: display.admin_link(row, display.short_id(row.pk)), order=""
    )
    why = cell("reason", "Reason", how=lambda text: text or display.NOTHING, order="")
    name_at_venue = cell("client_order_id", "Name at the venue", how=display.short_hash)
    venue_id_word = cell("venue_order_id", "Name that the venue gave back", how=display.short_hash)
    bytes_sha = cell(
        "payload_sha", "SHA-256 of the bytes", how=lambda sha: display.short_hash(bytes(sha).hex()), order=""
    )
    made = ago_cell("created_at", "Made")
    made_full = moment_cell("created_at", "Made")
    sent_full = moment_cell("sent_at", "Sent")
    acked_full = moment_cell("acked_at", "Acknowledged")
    fence_full = moment_cell("fence_at", "Refused by the venue after")
    next_full = moment_cell("next_check_at", "Next look-up")
    expires_full = moment_cell("expires_at", "Expires")
    rests_word = cell("post_only", "Only rests, never takes", how=display.yes_no)

    @admin.display(description="Side", ordering="side")
    def side_word(self, row: Order) -> SafeString:
        word = colours.side_of(row.side, row.time_in_force)
        return display.badge(display.word(word), colours.SIDE[word])

    @admin.display(description="May still cost, at worst")
    def n_worst(self, row: Order) -> str:
        return display.usd(worst_case_usd(row))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        return rows.defer("payload")

    def alarm(self, row: Any) -> str:
        return alarm_of(row, now=utc_now())

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        return [_events(row), _attempts(row), _cancels(row), _fills(row), _payload(row)]

    @action(description="Look up now", url_path="look-up", permissions=["verb"], icon="search")
    def look_up_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the venue what became of the order. Asking changes nothing there."""
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            checked = order_check(UUID(str(row.pk)), now=utc_now())
            return f"Looked up at {row.venue_id}: {checked.sentence or display.word(checked.word)}"

        return ask_and_do(
            self,
            request,
            row,
            title="Look the order up now",
            sentence=f"The venue is asked what became of order {display.short_id(row.pk)}; its answer is recorded. "
            "Where the rules allow it the identical bytes may be sent again; the venue cannot trade them twice.",
            act=act,
            form_class=NoQuestions,
            button="Ask the venue",
        )

    @action(description="Cancel at the venue", url_path="cancel", permissions=["verb"], icon="cancel")
    def cancel_at_venue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the venue to cancel the order, and look up what became of it."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            order_id = UUID(str(row.pk))
            (said,) = orders_cancel(
                [order_id],
                venue_code=row.venue_id,
                actor=actor_of(request),
                reason=data["reason"],
                now=utc_now(),
            )
            checked = order_check(order_id, now=utc_now())
            return f"{row.venue_id} answers: {said.answer}. Looked up: {checked.sentence or display.word(checked.word)}"

        return ask_and_do(
            self,
            request,
            row,
            title="Cancel the order at the venue",
            sentence=f"The venue is asked to cancel what is left of order {display.short_id(row.pk)}. What has traded "
            "stays ours; a look-up follows and says how it ended. Its decision ends, and the next cycle decides anew.",
            act=act,
            form_class=ReasonForm,
            button="Cancel at the venue",
        )


def worst_case_usd(row: Order) -> Decimal:
    """What the order may still cost: nothing when dead or selling, else amount and highest fee less what traded."""
    if row.side == "SELL" or row.state not in (
        "PREPARED",
        "SENDING",
        "UNKNOWN",
        "MANUAL",
        "ACKED",
        "PARTIAL",
    ):
        return Decimal(0)
    return max(row.notional_usd - row.filled_usd, Decimal(0)) + row.fee_usd_max


def alarm_of(row: Order, *, now: datetime) -> str:
    """The sentence above an order in doubt: how long, how much, how far the proof is."""
    if row.state not in IN_DOUBT:
        return ""
    since = display.ago_text(row.sent_at, now=now)
    fence = ""
    if row.fence_at is not None and row.fence_at > now:
        fence = f" The venue refuses these bytes {display.ago_text(row.fence_at, now=now)}."
    who = "Only a person may decide." if row.state == "MANUAL" else "The look-ups go on."
    return (
        f"In doubt: sent {since}, no definitive answer ({row.reason or 'no reason recorded'}). It may still cost "
        f"{display.usd_text(worst_case_usd(row))}. Proofs of absence: {row.absent_proofs} of 2.{fence} {who} "
        "It is never sent again by hand."
    )


def _events(row: Order) -> Card:
    rows = [
        (
            display.moment(event.at),
            display.word(event.old) if event.old else "Born",
            display.badge(display.word(event.new), colours.ORDER.get(event.new, "grey")),
            event.reason or display.NOTHING,
            event.who or display.NOTHING,
        )
        for event in row.events.all()
    ]
    return Card("Every change", display.table(["When", "From", "To", "Reason", "Process"], rows))


def _attempts(row: Order) -> Card:
    rows = [
        (
            attempt.attempt_no,
            display.moment(attempt.started_at),
            display.moment(attempt.finished_at),
            attempt.outcome or "No answer yet",
            attempt.http_status,
            attempt.code or display.NOTHING,
            attempt.detail or display.NOTHING,
            attempt.worker,
        )
        for attempt in row.attempt_rows.all()
    ]
    heads = ["No.", "Started", "Finished", "Answer", "HTTP", "Code", "The venue's words", "Process"]
    return Card("Every send", display.table(heads, rows, empty="Never sent"))


def _cancels(row: Order) -> Card:
    rows = [
        (
            display.moment(cancel.requested_at),
            cancel.requested_by,
            cancel.reason,
            display.moment(cancel.answered_at),
            cancel.answer or "No answer yet",
        )
        for cancel in row.cancels.all()
    ]
    heads = ["Asked", "By", "Reason", "Answered", "The venue's words"]
    return Card("Every cancel", display.table(heads, rows, empty="Never asked to be cancelled"))


def _fills(row: Order) -> Card:
    rows = [
        (
            display.admin_link(fill, display.short_id(fill.venue_trade_id)),
            display.size(fill.size),
            display.price(fill.price),
            display.usd(fill.notional_usd),
            display.usd(fill.fee_usd),
            display.badge(display.word(fill.settlement), colours.SETTLEMENT.get(fill.settlement, "grey")),
            display.moment(fill.matched_at),
        )
        for fill in row.fills.order_by("matched_at", "id")
    ]
    heads = ["Trade", ">Units", ">Price", ">Amount", ">Fee", "Settlement", "Matched"]
    return Card("Every trade", display.table(heads, rows, empty="Nothing traded"))


def _payload(row: Order) -> Card:
    return Card(
        "The bytes, without signature and keys",
        format_html('<pre class="bo-pre">{}</pre>', redacted(bytes(row.payload))),
    )
