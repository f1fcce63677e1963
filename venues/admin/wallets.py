"""What the wallet did on the chain by a person's order, step by step."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, names_of, text_cell, usd_cell
from venues.models import WalletJob

COLOURS = {
    "WAITING": "grey",
    "PREPARED": "blue",
    "SENDING": "blue",
    "UNKNOWN": "orange",
    "DONE": "green",
    "FAILED": "red",
    "REJECTED": "red",
    "VOID": "red",
    "ABORTED": "grey",
}


@admin.register(WalletJob)
class WalletJobAdmin(CardsAdmin):
    """One act of a wallet. Ordered on the venue's page; carried out by the engine."""

    list_display = ["what", "state_word", "ended", "ordered", "by_whom", "why"]
    list_display_links = ["what"]
    list_filter = ["state", "kind", "venue"]
    search_fields = ["title", "name", "transaction_hash"]
    ordering = ["-created_at"]
    fieldsets = [
        (None, {"fields": ["what", "state_word", "outcome_words", "usd"]}),
        ("Ordered", {"fields": ["by_whom", "why", "ordered_full"]}),
        (
            "On the chain",
            {"fields": ["named", "hash", "relay", "attempts", "sent_full", "void_full", "ended_full"]},
        ),
    ]
    readonly_fields = names_of(fieldsets)

    what = cell("title", "Act", how=str)
    outcome_words = text_cell("outcome", "What came of it")
    usd = usd_cell("amount_usd", "Amount")
    by_whom = cell("requested_by", "Ordered by", how=str)
    why = text_cell("reason", "Reason")
    ordered = ago_cell("created_at", "Ordered")
    ordered_full = moment_cell("created_at", "Ordered")
    ended = ago_cell("finished_at", "Ended")
    ended_full = moment_cell("finished_at", "Ended")
    sent_full = moment_cell("sent_at", "Sent")
    void_full = moment_cell("fence_at", "Void after")
    named = text_cell("name", "Name of its bytes")
    hash = text_cell("transaction_hash", "Transaction")
    relay = text_cell("relay_id", "At the relayer")

    @admin.display(description="State", ordering="state")
    def state_word(self, row: WalletJob) -> SafeString:
        return display.badge(row.get_state_display(), COLOURS[row.state])

    def alarm(self, row: Any) -> str:
        if row.state in ("FAILED", "REJECTED", "VOID"):
            why = row.outcome or "no reason recorded"
            return f"{row.get_state_display()}: {why}. Order it again on the venue's page."
        return ""

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        steps = [
            (
                display.moment(event.at),
                display.word(event.old),
                display.word(event.new),
                event.outcome,
                event.who,
            )
            for event in row.events.all()
        ]
        return [
            Card("The calls", display.text_block("\n".join(row.lines))),
            Card("Every step", display.table(["When", "From", "To", "Said", "Process"], steps)),
        ]
