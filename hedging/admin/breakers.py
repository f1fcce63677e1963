"""The switches that stop trading, with the two verbs that open and close them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from hedging.admin import colours
from hedging.models import Breaker, BreakerEvent
from hedging.services.breakers import breaker_reset, breaker_trip
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, names_of, text_cell
from tonsurance.plumbing.verbs import ReasonForm, actor_of, ask_and_do, row_of

_EVENTS_SHOWN = 100


class TripForm(ReasonForm):
    """What to stop, and why."""

    effect = forms.ChoiceField(
        choices=Breaker.Effect.choices, initial=Breaker.Effect.HALT, widget=UnfoldAdminSelectWidget
    )
    field_order = ["effect", "reason"]


@admin.register(Breaker)
class BreakerAdmin(CardsAdmin):
    """One switch."""

    list_display = ["scope_words", "state_word", "effect_words", "why", "since", "by_whom", "latch", "ends"]
    ordering = ["scope"]
    actions_detail = ["trip", "reset"]
    fieldsets = [
        (None, {"fields": ["scope_words", "state_word", "effect_words", "why", "by_whom"]}),
        ("In time", {"fields": ["since_full", "ends_full", "pause_words", "latch"]}),
    ]
    readonly_fields = names_of(fieldsets)

    why = text_cell("reason", "Reason")
    by_whom = cell("changed_by", "Changed by", how=lambda name: name or display.NOTHING)
    since = ago_cell("opened_at", "Open since")
    since_full = moment_cell("opened_at", "Open since")
    ends = ago_cell("resume_at", "Closes by itself")
    ends_full = moment_cell("resume_at", "Closes by itself")
    pause_words = cell(
        "pause",
        "The venue's own pause",
        how=lambda word: Breaker.Pause(word).label if word else display.NOTHING,
    )
    latch = cell("latched", "Only a person closes it", how=display.yes_no)

    @admin.display(description="Stops", ordering="scope")
    def scope_words(self, row: Breaker) -> str:
        return scope_words(row.scope)

    @admin.display(description="Effect")
    def effect_words(self, row: Breaker) -> str:
        return display.NOTHING if row.state == Breaker.State.CLOSED else row.get_effect_display()

    @admin.display(description="State", ordering="state")
    def state_word(self, row: Breaker) -> SafeString:
        return display.badge(row.get_state_display(), colours.BREAKER[row.state])

    def alarm(self, row: Any) -> str:
        if row.state == Breaker.State.CLOSED:
            return ""
        return f"Trading is stopped here ({row.get_effect_display().lower()}): {row.reason or 'no reason recorded'}"

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        events = BreakerEvent.objects.filter(scope=row.scope).order_by("-id")[:_EVENTS_SHOWN]
        return [
            Card(
                f"Every change (the newest {_EVENTS_SHOWN})",
                display.table(
                    ["When", "From", "To", "Reason", "Who"],
                    [
                        (
                            display.moment(e.at),
                            display.word(e.old),
                            display.word(e.new),
                            e.reason or display.NOTHING,
                            e.who or display.NOTHING,
                        )
                        for e in events
                    ],
                    empty="Never changed",
                ),
            )
        ]

    @action(
        description="Stop trading",
        url_path="trip",
        permissions=["verb"],
        icon="stop_circle",
    )
    def trip(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the breaker; takes effect at the next send of every process."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            breaker_trip(
                row.scope,
                reason=data["reason"],
                actor=actor_of(request),
                effect=data["effect"],
                now=utc_now(),
            )
            return f"Trading is stopped: {scope_words(row.scope)}"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Stop trading: {scope_words(row.scope)}",
            sentence="Takes effect at the next send, in every process. Orders that are out already live on and are "
            "followed. Only a person can start it again.",
            act=act,
            form_class=TripForm,
            button="Stop trading",
            is_dangerous=True,
        )

    @action(
        description="Allow trading",
        url_path="reset",
        permissions=["verb"],
        icon="play_circle",
    )
    def reset(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close the breaker."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            breaker_reset(row.scope, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Trading is allowed again: {scope_words(row.scope)}"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Allow trading again: {scope_words(row.scope)}",
            sentence=f"It was stopped because: {row.reason or 'no reason recorded'}",
            act=act,
            button="Allow trading",
        )


def scope_words(scope: str) -> str:
    """`global` and `venue:polymarket` as words."""
    kind, _, name = scope.partition(":")
    return "All venues" if kind == "global" else f"{display.word(kind)} {display.word(name)}"
