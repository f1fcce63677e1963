"""Which market offsets which product: comparison, wording, terms and book on one page, and the verbs of its life."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant

from hedging.admin import mapping_pages as pages
from hedging.admin.proposals import ApprovalForm, DeclineForm, ProposalForm, SearchForm
from hedging.models import Mapping
from hedging.services.discovery import markets_search
from hedging.services.mapping_preview import mapping_preview
from hedging.services.mappings import (
    mapping_propose_market,
    mapping_resume,
    mapping_suspend,
    mappings_approve,
    mappings_decline,
)
from policies.domain.catalogue import CoverageType
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


def standing_of(row: Mapping) -> tuple[str, str]:
    """Whether purchases may go through it, in words and a colour; the first obstacle wins."""
    if row.state != Mapping.State.APPROVED:
        return display.word(row.state), pages.STATES[row.state]
    if row.approved_wording_hash != row.instrument.wording_hash:
        return "Wording changed since", "red"
    if row.instrument.closed:
        return "Market closed", "grey"
    return ("Approved", "green") if row.instrument.accepting_orders else ("Market pauses", "orange")


@admin.register(Mapping)
class MappingAdmin(CardsAdmin):
    """One product, one market."""

    list_display = [
        "product_words",
        "market",
        "standing",
        "grade_word",
        "n_basis",
        "by_whom",
        "found_ago",
        "approved_ago",
    ]
    list_filter = [
        "state",
        "grade",
        "suspended_kind",
        "product__coverage_type",
        "product__chain",
        "instrument__venue",
    ]
    list_select_related = ["product", "instrument"]
    search_fields = [
        "instrument__question",
        "instrument__slug",
        "instrument__condition_id",
        "internal_event_id",
    ]
    search_help_text = "Question, slug, condition or internal event"
    ordering = ["product_id", "id"]
    actions_list = ["search_markets", "propose"]
    actions_detail = ["approve", "decline", "suspend", "resume"]
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
            "Its life",
            {
                "fields": [
                    ("found_full", "found_how"),
                    ("by_whom", "approved_full"),
                    ("approved_hash", "wording_now"),
                    ("suspended", "suspended_full"),
                    ("changed", "why"),
                ]
            },
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
    found_ago = ago_cell("found_at", "Found")
    found_full = moment_cell("found_at", "Found")
    found_how = cell("found_by", "Found by", how=lambda text: text or display.NOTHING, order="")
    by_whom = cell("approved_by", "Approved by", how=lambda text: text or display.NOTHING)
    approved_ago = ago_cell("approved_at", "Approved")
    approved_full = moment_cell("approved_at", "Approved")
    approved_hash = cell("approved_wording_hash", "Wording approved", how=display.short_hash, order="")
    wording_now = cell("instrument.wording_hash", "Wording now", how=display.short_hash, order="")
    suspended = text_cell("suspended_reason", "Suspended because")
    suspended_full = moment_cell("suspended_at", "Suspended")
    changed = cell("changed_by", "Last changed by", how=lambda text: text or display.NOTHING, order="")
    why = text_cell("reason", "Why")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        # The list shows a hundred rows and no comparison.
        return (
            rows
            if request.resolver_match and "object_id" in request.resolver_match.kwargs
            else rows.defer("comparison")
        )

    @admin.display(description="Trading", ordering="state")
    def standing(self, row: Mapping) -> SafeString:
        text, colour = standing_of(row)
        return display.badge(text, colour, title=row.suspended_reason)

    def alarm(self, row: Any) -> str:
        text, colour = standing_of(row)
        if row.state == Mapping.State.SUSPENDED:
            return (
                f"Nothing is bought through this mapping: {row.suspended_reason}. What is held may be sold."
            )
        return f"Nothing is bought through this mapping: {text.lower()}." if colour == "red" else ""

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        return [
            Card("The market against the policy", pages.comparison_table(row.comparison)),
            Card("The market's rules, in full", pages.rules(row)),
            Card("Terms of the market", pages.terms(row)),
            Card("Latest book", pages.book_card(row.instrument.books.order_by("-taken_at").first())),
            Card("History", pages.history(row)),
        ]

    @action(description="Search for markets", url_path="search", permissions=["make"], icon="travel_explore")
    def search_markets(self, request: HttpRequest) -> HttpResponse:
        """Search the venue for markets on the chosen events and propose them."""

        def act(data: dict[str, Any]) -> str:
            kinds = [CoverageType(word) for word in data["coverage"]]
            search = markets_search(now=utc_now(), coverage=kinds)
            made = search.proposals
            silent = "".join(f"; no answer for {kind}: {why}" for kind, why in search.failed.items())
            looked = {item.finding.listing.condition_id for item in search.found}
            return (
                f"{display.counted(len(looked), 'market')} looked at: {len(made.created)} mappings proposed, "
                f"{len(made.renewed)} worded anew, {made.unchanged} known already{silent}"
            )

        return ask_and_do(
            self,
            request,
            None,
            title="Search for markets",
            sentence="Searches the venue's catalogue for markets on the insured events and proposes what could hedge "
            "them. It runs once a day by itself. Nothing is traded through a proposal before somebody approved it.",
            act=act,
            form_class=SearchForm,
            initial={"coverage": [kind.value for kind in CoverageType]},
            button="Search",
        )

    @action(description="Propose a mapping", url_path="propose", permissions=["make"], icon="add")
    def propose(self, request: HttpRequest) -> HttpResponse:
        """Ask for a product and a market; the market's terms and wording are read from its venue."""

        def act(data: dict[str, Any]) -> str:
            mapping, created = mapping_propose_market(**data, actor=actor_of(request), now=utc_now())
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
        """Allow trading on the wording that the market has now, graded by the person who read it."""
        row = row_of(self, request, object_id)
        view = mapping_preview(row.pk, now=utc_now())

        def act(data: dict[str, Any]) -> str:
            done = mappings_approve(
                row.pk,
                actor=actor_of(request),
                now=utc_now(),
                reason=data["reason"],
                grade=data["grade"],
                basis_probability=data["basis_probability"],
                wording_read=data["wording_hash"],
                with_same=data["with_same"],
            )
            others = f", and {len(done) - 1} that compare the same" if len(done) > 1 else ""
            return f"Approved: {row.product} may be hedged by “{row.instrument}”{others}"

        initial = {
            "grade": row.grade,
            "basis_probability": row.basis_probability.normalize(),
            "wording_hash": view.mapping.instrument.wording_hash,
        }
        also = f" {view.alike} more proposals of this market compare the same." if view.alike else ""
        return ask_and_do(
            self,
            request,
            row,
            title="Approve this mapping",
            sentence=f"From the next cycle on {row.product} is hedged on this market, as its rules stand now. "
            f"A change of the rules suspends it.{also}",
            facts=pages.judging(view),
            act=act,
            form_class=ApprovalForm,
            initial=initial,
            button="Approve",
        )

    @action(
        description="Decline",
        url_path="decline",
        permissions=["verb"],
        icon="close",
        variant=ActionVariant.DANGER,
    )
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no to it; no search proposes it again as it is worded."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            done = mappings_decline(
                row.pk,
                reason=data["reason"],
                actor=actor_of(request),
                now=utc_now(),
                with_same=data["with_same"],
            )
            return f"Declined: {display.counted(len(done), 'mapping')} of “{row.instrument}”"

        return ask_and_do(
            self,
            request,
            row,
            title="Decline this mapping",
            sentence="Nothing is bought through it, and no search proposes it again unless the market is worded anew.",
            facts=pages.rules(row),
            act=act,
            form_class=DeclineForm,
            button="Decline",
            is_dangerous=True,
        )

    @action(description="Suspend", url_path="suspend", permissions=["verb"], icon="block")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop buying through it; what is held stays."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            mapping_suspend(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Suspended: nothing more is bought for {row.product} on this market"

        return ask_and_do(
            self,
            request,
            row,
            title="Suspend this mapping",
            sentence="From this moment nothing is bought through it. What is held stays held and may be sold; "
            "a person can resume it.",
            act=act,
            form_class=ReasonForm,
            button="Suspend",
            is_dangerous=True,
        )

    @action(description="Resume", url_path="resume", permissions=["verb"], icon="play_arrow")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Trade through a suspended mapping again, on the wording that was approved."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            mapping_resume(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Resumed: {row.product} may be hedged by “{row.instrument}” again"

        return ask_and_do(
            self,
            request,
            row,
            title="Resume this mapping",
            sentence=f"It was suspended because {row.suspended_reason or 'of nothing on record'}. From the next cycle "
            "on it is traded through again, as it was approved. A market worded anew must be approved instead.",
            facts=pages.rules(row),
            act=act,
            form_class=ReasonForm,
            button="Resume",
        )
