"""Caps on money at risk, how much of each is used, and the verb that changes one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from hedging.admin.breakers import scope_words
from hedging.models import RiskBucket
from hedging.selectors.dashboard import LimitUse, buckets_with_use, limit_use
from hedging.services.limits import CAP_USD_MAX, limit_set
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.admin import ReadOnlyAdmin
from tonsurance.plumbing.cells import cell, moment_cell, names_of, text_cell, usd_cell
from tonsurance.plumbing.verbs import ReasonForm, actor_of, ask_and_do, row_of

_NEAR = Decimal("0.8")


def used_badge(use: LimitUse) -> SafeString:
    """The share used, red when nothing is left."""
    colour = "red" if use.share >= 1 else "orange" if use.share >= _NEAR else "green"
    return display.badge(display.percent_text(use.share), colour)


class CapForm(ReasonForm):
    """The new cap."""

    cap_usd = forms.DecimalField(
        label="Cap, US dollars",
        min_value=0,
        max_value=CAP_USD_MAX,
        decimal_places=6,
        widget=UnfoldAdminTextInputWidget,
        help_text="The most that may be at risk here: cost of what is held plus the worst case of live orders.",
    )
    field_order = ["cap_usd", "reason"]


@admin.register(RiskBucket)
class RiskBucketAdmin(ReadOnlyAdmin):
    """One cap."""

    list_display = ["scope", "n_cap", "n_used", "n_left", "used_share"]
    list_display_links = ["scope"]
    actions_detail = ["set_cap"]
    fieldsets = [
        (None, {"fields": ["scope", "n_cap", "n_used", "n_left", "used_share"]}),
        ("Last change", {"fields": ["by_whom", "why", "changed_full"]}),
    ]
    readonly_fields = names_of(fieldsets)

    scope = cell("code", "Limits", how=scope_words)
    n_cap = usd_cell("cap_usd", "Cap")
    n_used = usd_cell("at_risk_usd", "At risk now")
    by_whom = cell("changed_by", "By", how=str)
    why = text_cell("reason", "Because")
    changed_full = moment_cell("changed_at", "Changed")

    @admin.display(description="Left")
    def n_left(self, row: RiskBucket) -> SafeString:
        return display.usd(limit_use(row).left_usd)

    @admin.display(description="Used")
    def used_share(self, row: RiskBucket) -> SafeString:
        return used_badge(limit_use(row))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskBucket]:
        """All caps with their use, in one query."""
        return buckets_with_use(super().get_queryset(request))

    @action(description="Set the cap", url_path="set-cap", permissions=["verb"], icon="speed")
    def set_cap(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Raise or lower the cap; every send asks for it anew."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            limit_set(
                row.pk, cap_usd=data["cap_usd"], actor=actor_of(request), reason=data["reason"], now=utc_now()
            )
            return f"The cap of {scope_words(row.code)} is {display.usd_text(data['cap_usd'])} now"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Set the cap of {scope_words(row.code)}",
            sentence="It holds from the next order on. Below what is at risk already, nothing more is bought; "
            "nothing is sold because of it.",
            act=act,
            form_class=CapForm,
            initial={"cap_usd": row.cap_usd},
            button="Set the cap",
        )
