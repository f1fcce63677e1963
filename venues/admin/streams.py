"""The lines of market data: up or not, how much they say, and how often they were wrong."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, count_cell, moment_cell, names_of, text_cell
from venues.domain.streams import Standing, standing_of
from venues.models import StreamState
from venues.selectors.books import true_at_of

_BOOKS_SHOWN = 200
_WORDS = {
    Standing.UP: ("Up", "green"),
    Standing.DOWN: ("Down, coming back", "red"),
    Standing.DEAD: ("No process", "red"),
}


def standing_badge(row: StreamState) -> SafeString:
    """Up, down, or without a process."""
    found = standing_of(connected_since=row.connected_since, told_at=row.told_at, now=utc_now())
    words, colour = _WORDS[found]
    return display.badge(words, colour)


@admin.register(StreamState)
class StreamStateAdmin(CardsAdmin):
    """One line of market data."""

    list_display = [
        "line",
        "standing",
        "since",
        "heard",
        "sound_of_all",
        "rate",
        "n_reconnects",
        "n_resyncs",
        "n_gaps",
        "last_error",
    ]
    list_display_links = ["line"]
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": [("line", "standing"), ("since_full", "heard_full"), "last_error"]}),
        (
            "Since the process began",
            {
                "fields": [
                    ("n_messages", "rate"),
                    ("n_reconnects", "n_resyncs"),
                    ("n_gaps", "n_alarms"),
                    "process_words",
                ]
            },
        ),
    ]
    readonly_fields = names_of(fieldsets)

    line = cell("name", "Line", how=str)
    since = ago_cell("connected_since", "Up since")
    since_full = moment_cell("connected_since", "Up since")
    heard = ago_cell("heard_at", "Last data")
    heard_full = moment_cell("heard_at", "Last heard")
    n_messages = count_cell("messages", "Messages")
    n_reconnects = count_cell("reconnects", "Reconnected")
    n_resyncs = count_cell("resyncs", "Replaced by REST")
    n_gaps = count_cell("gaps", "Proven gaps")
    n_alarms = count_cell("false_alarms", "False alarms")
    last_error = text_cell("error", "Last lost because")
    process_words = text_cell("process", "Machine and process")

    @admin.display(description="Line is")
    def standing(self, row: StreamState) -> SafeString:
        return standing_badge(row)

    @admin.display(description="Books without a doubt")
    def sound_of_all(self, row: StreamState) -> str:
        return f"{row.sound} of {row.instruments}" if row.instruments else display.NOTHING

    @admin.display(description="Messages/s")
    def rate(self, row: StreamState) -> str:
        return f"{row.messages_per_s:,.1f}"

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        now = utc_now()
        books = (
            row.books.select_related("instrument", "stream")
            .defer("bids", "asks")
            .order_by("instrument__slug")
        )
        rows = [
            (
                display.admin_link(book.instrument, str(book.instrument)),
                display.price(book.best_bid),
                display.price(book.best_ask),
                display.ago(true_at_of(book), now=now),
                book.doubt or display.NOTHING,
            )
            for book in books[:_BOOKS_SHOWN]
        ]
        return [Card("Books", display.table(["Market", ">Bid", ">Ask", "True", "In doubt because"], rows))]
