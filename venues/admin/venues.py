"""Where hedges can go: reachable or not, what it last said, what we have there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, names_of, text_cell
from tonsurance.plumbing.verbs import NoQuestions, ReasonForm, actor_of, ask_and_do, row_of
from venues.admin.standings import account_alarm, account_cards
from venues.domain.accounts import WalletAct
from venues.domain.gateway import LookupFailed
from venues.models import Venue
from venues.selectors.limits import LimitState, limits_of
from venues.services.accounts import account_read
from venues.services.venues import venue_codes_with_gateway
from venues.services.wallets import wallet_acts_missing, wallet_acts_wrap, wallet_jobs_open

_BALANCES_SHOWN = 50


class WrapForm(ReasonForm):
    """How much, and why."""

    amount_usd = forms.DecimalField(
        label="Dollars",
        min_value=Decimal("0.01"),
        max_digits=18,
        decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget(),
        help_text="USDC.e of the wallet that becomes pUSD, one to one.",
    )
    field_order = ["amount_usd", "reason"]


@admin.register(Venue)
class VenueAdmin(CardsAdmin):
    """One venue."""

    list_display = ["venue_name", "kind_word", "gateway", "switch", "seen", "complaint"]
    list_display_links = ["venue_name"]
    ordering = ["position", "code"]
    actions_detail = ["read_account", "approve_contracts", "wrap_money"]
    fieldsets = [
        (None, {"fields": ["venue_name", "kind_word", "gateway", "switch"]}),
        ("Line", {"fields": ["seen_full", "complaint", "complained_full"]}),
    ]
    readonly_fields = names_of(fieldsets)

    venue_name = cell("name", "Venue", how=str)
    kind_word = cell("kind", "Kind", how=lambda word: Venue.Kind(word).label)
    switch = cell("is_enabled", "New hedges", how=lambda on: display.yes_no(on, yes="Allowed", no="Off"))
    seen = ago_cell("last_seen_at", "Last answer")
    seen_full = moment_cell("last_seen_at", "Last answer")
    complaint = text_cell("last_error", "Last error")
    complained_full = moment_cell("last_error_at", "Last error at")

    @admin.display(description="Gateway")
    def gateway(self, row: Venue) -> SafeString:
        if row.code in venue_codes_with_gateway():
            return display.badge("Connected", "green")
        return display.badge("No gateway", "orange", title="Its share of every hedge stays unhedged")

    def alarm(self, row: Any) -> str:
        if row.code in venue_codes_with_gateway():
            return account_alarm(row)
        return "No gateway: this venue's share of every required hedge stays unhedged (Configuration, venueShares)."

    @action(description="Read our account", url_path="account", permissions=["verb"], icon="badge")
    def read_account(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the venue who we are there, now."""
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            standing = account_read(row.code, now=utc_now())
            return "; ".join(standing.faults) or "The account is in order"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Read our account at {row.name}",
            sentence="Asks the venue and the chain; nothing is sent or changed.",
            act=act,
            form_class=NoQuestions,
            button="Read",
        )

    @action(description="Approve contracts", url_path="approve", permissions=["verb"], icon="approval")
    def approve_contracts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the venue's contracts take what trading and redeeming need."""
        row = row_of(self, request, object_id)
        try:
            facts = _shown(_answered(lambda: wallet_acts_missing(row.code)))
        except Refused as no:
            facts = display.one_line(str(no))

        def act(data: dict[str, Any]) -> str:
            acts = _answered(lambda: wallet_acts_missing(row.code))
            if not acts:
                raise Refused("nothing is missing")
            jobs = wallet_jobs_open(
                row.code, acts, actor=actor_of(request), reason=data["reason"], now=utc_now()
            )
            return f"Ordered: {display.counted(len(jobs), 'act')} of the wallet; the engine carries them out"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Approve contracts at {row.name}",
            sentence="Each line is a transaction of the wallet, sent one after the other. It costs gas only.",
            facts=facts,
            act=act,
            button="Send from the wallet",
        )

    @action(description="Wrap money", url_path="wrap", permissions=["verb"], icon="currency_exchange")
    def wrap_money(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Turn the wallet's USDC.e into the venue's money."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            acts = _answered(lambda: wallet_acts_wrap(row.code, data["amount_usd"]))
            wallet_jobs_open(row.code, acts, actor=actor_of(request), reason=data["reason"], now=utc_now())
            return f"Ordered: {display.usd_text(data['amount_usd'])} are wrapped by the engine"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Wrap money at {row.name}",
            sentence="USDC.e of the wallet becomes pUSD, one to one, in the same wallet; the venue reads it again.",
            act=act,
            form_class=WrapForm,
            button="Send from the wallet",
        )

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        limits = limits_of(row.code, now=utc_now())
        balances = row.balances.order_by("-taken_at", "-id")[:_BALANCES_SHOWN]
        rows = [(display.moment(item.taken_at), item.currency, display.usd(item.total)) for item in balances]
        return [
            *account_cards(row),
            Card(
                "Rate limits, shared by all workers",
                display.table(
                    ["Limit", ">Left", ">Of", ">Per second", "Tier", "Warned"],
                    [_limit(item) for item in limits],
                )
                if limits
                else display.text_block("Nothing was asked of this venue yet."),
            ),
            Card(
                f"Balances (the newest {_BALANCES_SHOWN})",
                display.table(["When", "Currency", ">Total"], rows),
            ),
        ]


def _limit(item: LimitState) -> tuple[Any, ...]:
    wait = f", waits until {display.moment_text(item.blocked_until)}" if item.blocked_until else ""
    return (
        f"{item.name}{wait}",
        display.count(int(item.tokens)),
        display.count(int(item.capacity)),
        display.count(round(item.rate)),
        item.tier or display.NOTHING,
        display.ago(item.warned_at),
    )


def _answered(ask: Callable[[], list[WalletAct]]) -> list[WalletAct]:
    """What the chain says, or a refusal that a page can show."""
    try:
        return ask()
    except LookupFailed as silence:
        raise Refused(f"no answer from the chain: {silence}") from silence


def _shown(acts: list[WalletAct]) -> SafeString:
    """The acts, for the page that asks for a yes."""
    if not acts:
        return display.one_line("Nothing is missing.")
    return display.table(
        ["Act", "Calls"], [(act.title, display.text_block("\n".join(act.lines))) for act in acts]
    )
