"""The forms of a mapping's verbs: search, propose, approve, decline."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from hedging.models import Mapping
from policies.domain.catalogue import Chain, CoverageType, Stablecoin, readable
from tonsurance.plumbing.verbs import ReasonForm
from venues.services.venues import venue_codes_with_gateway


def _members(members: type[Any]) -> list[tuple[str, str]]:
    return [(member.value, readable(member)) for member in members]


def _venues() -> list[tuple[str, str]]:
    return [(code, code) for code in sorted(venue_codes_with_gateway())]


class ProposalForm(forms.Form):
    """A mapping to be; it trades only after somebody approved it."""

    coverage_type = forms.ChoiceField(choices=_members(CoverageType), widget=UnfoldAdminSelectWidget)
    chain = forms.ChoiceField(choices=_members(Chain), widget=UnfoldAdminSelectWidget)
    stablecoin = forms.ChoiceField(choices=_members(Stablecoin), widget=UnfoldAdminSelectWidget)
    venue_code = forms.ChoiceField(label="Venue", choices=_venues, widget=UnfoldAdminSelectWidget)
    instrument_id = forms.CharField(
        label="Instrument at the venue",
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="On Polymarket the token id of the outcome to buy; its terms and wording are read from the venue.",
    )
    grade = forms.ChoiceField(choices=Mapping.Grade.choices, widget=UnfoldAdminSelectWidget)
    basis_probability = forms.DecimalField(
        label="Pays if the policy pays",
        min_value=0,
        max_value=1,
        decimal_places=6,
        widget=UnfoldAdminTextInputWidget,
        help_text="Chance that the market pays given that the policy pays: 1 for the same event, less for a proxy.",
    )
    pays_on = forms.CharField(
        max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="In one sentence."
    )
    internal_event_id = forms.CharField(
        max_length=120,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="The sister platform's name of the event, where it has one.",
    )


class SearchForm(forms.Form):
    """What to search for."""

    coverage = forms.MultipleChoiceField(
        label="Coverage types",
        choices=_members(CoverageType),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )


class _AlikeForm(ReasonForm):
    """A judgement that may hold for every product of the market that compares the same."""

    with_same = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanWidget,
        label="The same for the other proposals of this market that compare alike, line by line",
    )


class ApprovalForm(_AlikeForm):
    """The person's own judgement, and their word that the rules were read; `wording_hash` is what they read."""

    grade = forms.ChoiceField(
        choices=[choice for choice in Mapping.Grade.choices if choice[0] != Mapping.Grade.NONE],
        widget=UnfoldAdminSelectWidget,
        help_text="Your judgement, which may differ from the suggestion.",
    )
    basis_probability = forms.DecimalField(
        label="Pays if the policy pays",
        min_value=0,
        max_value=1,
        decimal_places=6,
        widget=UnfoldAdminTextInputWidget,
        help_text="Chance that the market pays given that the policy pays: 1 for the same event, less for a proxy.",
    )
    wording_read = forms.BooleanField(
        widget=UnfoldBooleanWidget,
        label="I have read the market's rules above and they pay on the event that the product insures",
    )
    wording_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)
    field_order = ["grade", "basis_probability", "reason", "with_same", "wording_read", "wording_hash"]


class DeclineForm(_AlikeForm):
    """Why not."""

    field_order = ["reason", "with_same"]
