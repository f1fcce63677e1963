"""The contracts that orders are signed for, and the two verbs that change the table."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.admin import ReadOnlyAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, names_of, text_cell
from tonsurance.plumbing.verbs import ReasonForm, actor_of, ask_and_do, row_of
from venues.domain.exchanges import ExchangeDomain, PositionIds
from venues.models import ExchangeContract, Venue
from venues.services.exchanges import exchange_add, exchange_retire

_CHAINS = {137: "Polygon (137)", 31337: "Practice (31337)"}
_IDS = {PositionIds.CTF: "Conditional tokens", PositionIds.PROTOCOL_V2: "Protocol V2 positions"}
_KINDS = {"": None, "no": False, "yes": True}


def chain_words(chain_id: int) -> str:
    """A chain as people know it."""
    return _CHAINS.get(chain_id, str(chain_id))


class ContractForm(ReasonForm):
    """A new row of the table."""

    venue = forms.ModelChoiceField(Venue.objects.all(), initial="polymarket", widget=UnfoldAdminSelectWidget)
    chain_id = forms.IntegerField(
        min_value=1,
        initial=lambda: settings.POLYMARKET["chain_id"],
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="137 is Polygon, 31337 a practice exchange.",
    )
    contract = forms.RegexField(
        r"^0x[0-9a-fA-F]{40}$",
        widget=UnfoldAdminTextInputWidget,
        help_text="The verifying contract: 0x and 40 hexadecimal digits.",
        error_messages={"invalid": "0x and 40 hexadecimal digits"},
    )
    domain_name = forms.CharField(
        max_length=80, initial="Polymarket CTF Exchange", widget=UnfoldAdminTextInputWidget
    )
    domain_version = forms.CharField(max_length=4, widget=UnfoldAdminTextInputWidget)
    neg_risk = forms.ChoiceField(
        label="Markets",
        required=False,
        choices=[("", "Both kinds"), ("no", "Ordinary"), ("yes", "Winner-takes-all groups")],
        widget=UnfoldAdminSelectWidget,
    )
    market_version = forms.CharField(
        max_length=8,
        widget=UnfoldAdminTextInputWidget,
        help_text="How the venue's catalogue calls the protocol of these markets, as v2.",
    )
    position_ids = forms.ChoiceField(
        label="Ids",
        choices=[(word.value, label) for word, label in _IDS.items()],
        widget=UnfoldAdminSelectWidget,
    )
    valid_from = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="UTC; empty: from now on. Later than now: orders move to it by themselves at that moment.",
    )
    is_unasked_ok = forms.BooleanField(
        label="Add it even if the contract cannot be asked",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="The contract is asked for its own domain first. One that says something else is never added.",
    )
    field_order = [
        "venue",
        "chain_id",
        "contract",
        "domain_name",
        "domain_version",
        "neg_risk",
        "market_version",
        "position_ids",
        "valid_from",
        "is_unasked_ok",
        "reason",
    ]


@admin.register(ExchangeContract)
class ExchangeContractAdmin(ReadOnlyAdmin):
    """One contract."""

    list_display = ["address", "version", "markets", "ids", "chain", "state", "valid", "by_whom"]
    list_display_links = ["address"]
    list_filter = ["venue", "is_active", "chain_id"]
    search_fields = ["contract"]
    search_help_text = "Contract address"
    ordering = ["chain_id", "-is_active", "domain_version", "neg_risk", "-valid_from"]
    sortable_by: list[str] = []
    actions_list = ["add_contract"]
    actions_detail = ["retire"]
    fieldsets = [
        (None, {"fields": ["at_venue", "address", "chain", "state", "valid_full"]}),
        ("Signing domain", {"fields": ["domain", "version"]}),
        ("Markets", {"fields": ["markets", "word_of_venue", "ids"]}),
        ("Added", {"fields": ["by_whom", "why", "added_full"]}),
        ("Retired", {"fields": ["ended_by", "ended_why", "ended_full"]}),
    ]
    readonly_fields = names_of(fieldsets)

    at_venue = cell("venue.name", "Venue", how=str)
    address = text_cell("contract", "Contract")
    chain = cell("chain_id", "Chain", how=lambda chain_id: display.one_line(chain_words(chain_id)))
    domain = text_cell("domain_name", "Name")
    version = cell("domain_version", "Version", how=str)
    ids = cell("position_ids", "Ids", how=lambda word: _IDS[PositionIds(word)])
    word_of_venue = cell("market_version", "Protocol, in the venue's word", how=str)
    valid = ago_cell("valid_from", "Valid from")
    valid_full = moment_cell("valid_from", "Valid from")
    by_whom = cell("added_by", "Added by", how=str)
    why = text_cell("added_because", "Because")
    added_full = moment_cell("added_at", "Added")
    ended_by = cell("retired_by", "By", how=lambda text: text or display.NOTHING)
    ended_why = text_cell("retired_because", "Because")
    ended_full = moment_cell("retired_at", "Retired")

    @admin.display(description="Markets")
    def markets(self, row: ExchangeContract) -> str:
        if row.neg_risk is None:
            return "Both kinds"
        return "Winner-takes-all groups" if row.neg_risk else "Ordinary"

    @admin.display(description="State")
    def state(self, row: ExchangeContract) -> SafeString:
        if not row.is_active:
            return display.badge("Retired", "grey")
        if row.valid_from > utc_now():
            return display.badge("Waits", "orange", title="Its moment has not come")
        return display.badge("Signed for", "green")

    @action(description="Add a contract", url_path="add-contract", permissions=["make"], icon="add")
    def add_contract(self, request: HttpRequest) -> HttpResponse:
        """Ask for a row; the contract is asked for its own domain before it is added."""

        def act(data: dict[str, Any]) -> str:
            now = utc_now()
            row = exchange_add(
                data["venue"].pk,
                ExchangeDomain(
                    version=data["domain_version"],
                    neg_risk=_KINDS[data["neg_risk"]],
                    contract=data["contract"],
                    name=data["domain_name"],
                    position_ids=PositionIds(data["position_ids"]),
                    market_version=data["market_version"],
                ),
                chain_id=data["chain_id"],
                valid_from=data["valid_from"] or now,
                actor=actor_of(request),
                reason=data["reason"],
                now=now,
                is_unasked_ok=data["is_unasked_ok"],
            )
            return f"{row.contract} is in the table; every process reads it within half a minute"

        return ask_and_do(
            self,
            request,
            None,
            title="Add an exchange contract",
            sentence="Orders are signed for this contract from its moment on. Compare every field with the venue's "
            "own documentation: what is signed for a wrong contract is refused at best.",
            act=act,
            form_class=ContractForm,
            button="Ask the contract, and add it",
            is_dangerous=True,
        )

    @action(
        description="Retire",
        url_path="retire",
        permissions=["verb"],
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def retire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sign nothing more for it."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            exchange_retire(row.pk, actor=actor_of(request), reason=data["reason"], now=utc_now())
            return f"Nothing is signed for {row.contract} any more"

        return ask_and_do(
            self,
            request,
            row,
            title="Retire the contract",
            sentence=f"No order is signed for {row.contract} from the next half minute on. Its markets cannot be "
            "traded until another row names a contract for them; orders that were signed for it live on.",
            act=act,
            button="Retire it",
            is_dangerous=True,
        )
