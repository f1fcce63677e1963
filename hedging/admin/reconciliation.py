"""Comparisons with the venues' reports, and what did not agree."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from hedging.admin import colours
from hedging.models import Discrepancy, ReconciliationRun
from tonsurance.plumbing import display
from tonsurance.plumbing.admin import ReadOnlyAdmin
from tonsurance.plumbing.cards import CardsAdmin
from tonsurance.plumbing.cells import ago_cell, badge_cell, cell, count_cell, moment_cell, names_of, text_cell


@admin.register(Discrepancy)
class DiscrepancyAdmin(CardsAdmin):
    """Our row and a report disagree."""

    list_display = [
        "what",
        "state_word",
        "subject_short",
        "ours",
        "theirs",
        "venue_name",
        "first_ago",
        "last_ago",
        "n_times",
    ]
    list_filter = ["state", "kind", "venue"]
    list_select_related = ["venue"]
    search_fields = ["subject"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["what", "state_word", "venue_name", "subject_full", "ours", "theirs"]}),
        ("In time", {"fields": ["first_full", "last_full", "n_times", "closer", "remark"]}),
    ]
    readonly_fields = names_of(fieldsets)

    what = cell("kind", "Disagreement", how=display.word)
    state_word = badge_cell("state", "State", colours=colours.DISCREPANCY)
    subject_short = cell("subject", "About", how=display.short_hash)
    subject_full = text_cell("subject", "About")
    ours = text_cell("expected", "Our rows say")
    theirs = text_cell("actual", "The venue says")
    venue_name = cell("venue.name", "Venue", how=str)
    first_ago = ago_cell("first_seen_at", "First seen")
    last_ago = ago_cell("last_seen_at", "Last seen")
    first_full = moment_cell("first_seen_at", "First seen")
    last_full = moment_cell("last_seen_at", "Last seen")
    n_times = count_cell("occurrences", "Times seen")
    closer = cell("closed_by", "Closed by", how=lambda name: name or display.NOTHING)
    remark = text_cell("note", "Note")

    def alarm(self, row: Any) -> str:
        return (
            "Open: our book and the venue's report do not agree."
            if row.state == Discrepancy.State.OPEN
            else ""
        )


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnlyAdmin):
    """One comparison."""

    list_display = ["name", "venue_name", "began", "result", "n_orders", "n_fills", "n_positions"]
    list_filter = ["venue"]
    list_select_related = ["venue"]
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["venue_name", "result", "fault", "began_full", "ended_full"]}),
        ("Compared", {"fields": ["n_orders", "n_fills", "n_positions", "n_differences"]}),
    ]
    readonly_fields = names_of(fieldsets)

    name = cell("pk", "Run", how=lambda pk: f"Run {pk}", order="id")
    venue_name = cell("venue.name", "Venue", how=str)
    began = ago_cell("started_at", "Began")
    began_full = moment_cell("started_at", "Began")
    ended_full = moment_cell("finished_at", "Ended")
    n_orders = count_cell("orders_compared", "Orders")
    n_fills = count_cell("fills_compared", "Trades")
    n_positions = count_cell("positions_compared", "Positions")
    n_differences = count_cell("differences", "Differences")
    fault = text_cell("error", "Error")

    @admin.display(description="Result")
    def result(self, row: ReconciliationRun) -> str:
        if row.error:
            return display.badge("No answer", "orange", title=row.error)
        if row.finished_at is None:
            return display.badge("Running", "blue")
        return (
            display.badge(f"{row.differences} differences", "red")
            if row.differences
            else display.badge("Equal", "green")
        )
