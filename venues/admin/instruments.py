"""Markets: their rules, their terms and their book, as the venue states them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import (
    ago_cell,
    cell,
    moment_cell,
    names_of,
    percent_cell,
    price_cell,
    size_cell,
    text_cell,
    usd_cell,
)
from venues.admin.answers import answer_cards, answer_word
from venues.models import BookSnapshot, Instrument, StreamBook
from venues.selectors.books import true_at_of


def trading(row: Instrument) -> SafeString:
    """Open, pausing or closed."""
    if row.closed:
        return display.badge("Closed", "grey")
    return display.badge("Open", "green") if row.accepting_orders else display.badge("Pauses", "orange")


@admin.register(Instrument)
class InstrumentAdmin(CardsAdmin):
    """One outcome that can be traded."""

    list_display = [
        "market",
        "outcome_word",
        "trading_word",
        "answer",
        "n_bid",
        "n_ask",
        "booked",
        "n_tick",
        "n_fee",
        "ends",
        "read",
    ]
    list_display_links = ["market"]
    list_filter = ["closed", "accepting_orders", "neg_risk", "venue"]
    search_fields = ["question", "slug", "condition_id", "instrument_id"]
    search_help_text = "Question, slug, condition or token"
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["market", "outcome_word", "trading_word", "ends_full", "read_full"]}),
        (
            "Terms",
            {
                "fields": [
                    "n_tick",
                    "n_smallest",
                    "n_smallest_usd",
                    "n_fee",
                    "fee_exponent",
                    "risk",
                    "exchange_domain",
                ]
            },
        ),
        ("Names at the venue", {"fields": ["token", "condition", "market_id", "slug", "rules_hash"]}),
    ]
    readonly_fields = names_of(fieldsets)

    market = cell("question", "Market", how=lambda text: text or display.NOTHING)
    outcome_word = cell("outcome", "Outcome", how=lambda text: text or display.NOTHING)
    n_tick = price_cell("tick_size", "Tick")
    n_fee = percent_cell("fee_rate", "Fee rate")
    n_smallest = size_cell("size_min", "Smallest order, units")
    n_smallest_usd = usd_cell("notional_usd_min", "Smallest order, dollars")
    risk = cell("neg_risk", "Winner-takes-all group", how=display.yes_no)
    ends = ago_cell("end_at", "Ends")
    ends_full = moment_cell("end_at", "Ends")
    read = ago_cell("refreshed_at", "Read")
    read_full = moment_cell("refreshed_at", "Read")
    token = text_cell("instrument_id", "Token")
    condition = text_cell("condition_id", "Condition")
    rules_hash = cell("wording_hash", "Wording", how=display.short_hash)

    @admin.display(description="Bid")
    def n_bid(self, row: Any) -> SafeString:
        streamed = _younger(row)
        return display.price(streamed.best_bid if streamed else row.newest_bid)

    @admin.display(description="Ask")
    def n_ask(self, row: Any) -> SafeString:
        streamed = _younger(row)
        return display.price(streamed.best_ask if streamed else row.newest_ask)

    @admin.display(description="Book")
    def booked(self, row: Any) -> SafeString:
        streamed = _younger(row)
        return display.ago(true_at_of(streamed) if streamed else row.newest_at)

    @admin.display(description="Trading")
    def trading_word(self, row: Instrument) -> SafeString:
        return trading(row)

    @admin.display(description="Answer")
    def answer(self, row: Instrument) -> SafeString:
        return answer_word(row)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instrument]:
        """Rows with their newest kept book's best prices and the streamed book, in the same query."""
        newest = BookSnapshot.objects.filter(instrument=OuterRef("pk")).order_by("-taken_at")
        rows: QuerySet[Instrument] = super().get_queryset(request)
        return rows.select_related("streamed__stream", "resolution").annotate(
            newest_bid=Subquery(newest.values("best_bid")[:1]),
            newest_ask=Subquery(newest.values("best_ask")[:1]),
            newest_at=Subquery(newest.values("taken_at")[:1]),
        )

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        return [*answer_cards(row), *self._book_and_rules(row)]

    def _book_and_rules(self, row: Any) -> list[Card]:
        rules = Card(
            "The market's rules, in full", display.text_block(f"{row.question}\n\n{row.description}")
        )
        streamed = _younger(row)
        if streamed is not None:
            age = display.ago_text(true_at_of(streamed), now=utc_now())
            return [Card(f"Streamed book, true {age}", display.ladder(streamed.bids, streamed.asks)), rules]
        book = row.books.order_by("-taken_at").first()
        if book is None:
            return [rules]
        age = display.ago_text(book.taken_at, now=utc_now())
        return [Card(f"Latest book asked for, {age}", display.ladder(book.bids, book.asks)), rules]


def _younger(row: Any) -> StreamBook | None:
    """The streamed book where it is younger than the newest kept one; None without one that counts."""
    found: StreamBook | None = getattr(row, "streamed", None)
    true_at = true_at_of(found) if found is not None else None
    if true_at is None or (row.newest_at is not None and row.newest_at > true_at):
        return None
    return found
