"""Which market offsets which product: wording, terms and book on one page, and the two verbs that open and shut it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldBooleanWidget

from hedging.admin.proposals import ProposalForm
from hedging.models import Mapping
from hedging.services.mappings import mapping_approve, mapping_propose_market, mapping_suspend
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import (
    ago_cell,
    badge_cell,
    cell,
    link_cell,
    moment_cell,
    names_of,
    percent_cell,
    text_cell,
)
from tonsurance.plumbing.verbs import ReasonForm, actor_of, ask_and_do, row_of

_GRADES = {"direct": "green", "proxy": "orange"}


class ApproveForm(forms.Form):
    """The person's word that the rules were read."""

    wording_read = forms.BooleanField(
        widget=UnfoldBooleanWidget,
        label="I have read the market's rules above and they pay on the event that the product insures",
    )


def standing_of(row: Mapping) -> tuple[str, str]:
    """Whether trades may go through it, in words and a colour; the first obstacle wins."""
    if row.suspended_reason:
        return "Suspended", "red"
    if row.approved_at is None:
        return "Not approved", "orange"
    if row.approved_wording_hash != row.instrument.wording_hash:
        return "Wording changed since", "red"
    if row.instrument.closed:
        return "Market closed", "grey"
    if not row.instrument.accepting_orders:
        return "Market pauses", "orange"
    return ("Approved", "green") if row.is_active else ("Switched off", "grey")


@admin.register(Mapping)
class MappingAdmin(CardsAdmin):
    """One product, one market."""

    list_display = ["product_words", "market", "standing", "grade_word", "n_basis", "by_whom", "approved_ago"]
    list_filter = ["grade", "is_active", "product__coverage_type", "product__chain", "instrument__venue"]
    list_select_related = ["product", "instrument"]
    search_fields = [
        "instrument__question",
        "instrument__slug",
        "instrument__condition_id",
        "internal_event_id",
    ]
    search_help_text = "Question, slug, condition or internal event"
    ordering = ["product_id", "id"]
    actions_list = ["propose"]
    actions_detail = ["approve", "suspend"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("standing", "grade_word"),
                    "product_link",
                    "instrument_link",
                    ("n_basis", "event"),
                    "pays",
                ]
            },
        ),
        (
            "Approval",
            {"fields": [("by_whom", "approved_full"), ("approved_hash", "wording_now"), "suspended"]},
        ),
    ]
    readonly_fields = names_of(fieldsets)

    product_words = cell("product", "Product", how=str, order="product_id")
    product_link = link_cell("product", "Product")
    market = cell("instrument", "Market", how=str, order="instrument")
    instrument_link = link_cell("instrument", "Market")
    grade_word = badge_cell("grade", "Grade", colours=_GRADES)
    n_basis = percent_cell("basis_probability", "Pays if the policy pays")
    pays = text_cell("pays_on", "Pays on")
    event = cell("internal_event_id", "Internal event", how=lambda text: text or display.NOTHING)
    by_whom = cell("approved_by", "Approved by", how=lambda text: text or display.NOTHING)
    approved_ago = ago_cell("approved_at", "Approved")
    approved_full = moment_cell("approved_at", "Approved")
    approved_hash = cell("approved_wording_hash", "Wording approved", how=display.short_hash, order="")
    wording_now = cell("instrument.wording_hash", "Wording now", how=display.short_hash, order="")
    suspended = text_cell("suspended_reason", "Suspended because")

    @admin.display(description="Trading")
    def standing(self, row: Mapping) -> SafeString:
        text, colour = standing_of(row)
        return display.badge(text, colour)

    def alarm(self, row: Any) -> str:
        text, colour = standing_of(row)
        return f"Nothing is traded through this mapping: {text.lower()}." if colour == "red" else ""

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        book = row.instrument.books.order_by("-taken_at").first()
        cards = [
            Card("The market's rules, in full", wording(row)),
            Card("Terms of the market", _terms(row)),
        ]
        if book is None:
            return [
                *cards,
                Card("Book", format_html('<p class="bo-empty">{}</p>', "No book has been read yet")),
            ]
        age = display.ago_text(book.taken_at, now=utc_now())
        return [*cards, Card(f"Latest book, {age}", display.ladder(book.bids, book.asks))]

    @action(description="Propose a mapping", url_path="propose", permissions=["make"], icon="add")
    def propose(self, request: HttpRequest) -> HttpResponse:
        """Ask for a product and a market; the market's terms and wording are read from its venue."""

        def act(data: dict[str, Any]) -> str:
            mapping, created = mapping_propose_market(**data, now=utc_now())
            return f"{mapping} is {'proposed; read it and approve' if created else 'there already'}"

        return ask_and_do(
            self,
            request,
            None,
            title="Propose a mapping",
            sentence="Nothing is traded through it before somebody has read the market's rules and approved it.",
            act=act,
            form_class=ProposalForm,
            button="Propose",
        )

    @action(description="Approve", url_path="approve", permissions=["verb"], icon="check")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Allow trading on the wording that the market has now."""
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            mapping_approve(row.pk, actor=actor_of(request), now=utc_now())
            return f"Approved: {row.product} may be hedged by “{row.instrument}”"

        return ask_and_do(
            self,
            request,
            row,
            title="Approve this mapping",
            sentence=f"From the next cycle on {row.product} is hedged on this market, as its rules stand now. "
            "A change of the rules ends the approval.",
            facts=wording(row),
            act=act,
            form_class=ApproveForm,
            button="Approve",
        )

    @action(description="Suspend", url_path="suspend", permissions=["verb"], icon="block")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop trading through it; what is held stays."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            mapping_suspend(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Suspended: nothing more is traded for {row.product} on this market"

        return ask_and_do(
            self,
            request,
            row,
            title="Suspend this mapping",
            sentence="From the next cycle on nothing is traded through it. What is held stays held; "
            "a person can approve it again.",
            act=act,
            form_class=ReasonForm,
            button="Suspend",
            is_dangerous=True,
        )


def wording(row: Mapping) -> SafeString:
    """Question, outcome and rules beside what the mapping claims."""
    market = row.instrument
    return display.facts(
        [
            ("Insured event", str(row.product)),
            ("Mapping says it pays on", row.pays_on or display.NOTHING),
            ("Question", market.question or display.NOTHING),
            ("Outcome bought", market.outcome or display.NOTHING),
            ("Rules", display.text_block(market.description)),
            ("Ends", display.moment(market.end_at)),
        ]
    )


def _terms(row: Mapping) -> SafeString:
    market = row.instrument
    return display.facts(
        [
            ("Tick", display.price(market.tick_size)),
            (
                "Smallest order",
                format_html(
                    "{} units, {}",
                    display.size_text(market.size_min),
                    display.usd_text(market.notional_usd_min),
                ),
            ),
            (
                "Fee",
                f"{display.percent_text(market.fee_rate)} × price × (1 − price), exponent {market.fee_exponent}",
            ),
            ("Takes orders", display.yes_no(market.accepting_orders)),
            ("Closed", display.yes_no(market.closed, bad=True)),
            ("Read", display.ago(market.refreshed_at)),
        ]
    )
