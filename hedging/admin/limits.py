"""Caps on money at risk, and how much of each is used. Changed by deployment, not by a click."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hedging.admin.breakers import scope_words
from hedging.models import RiskBucket
from hedging.selectors.dashboard import LimitUse, buckets_with_use, limit_use
from tonsurance.plumbing import display
from tonsurance.plumbing.admin import ReadOnlyAdmin
from tonsurance.plumbing.cells import cell, usd_cell

_NEAR = Decimal("0.8")


def used_badge(use: LimitUse) -> SafeString:
    """The share used, red when nothing is left."""
    colour = "red" if use.share >= 1 else "orange" if use.share >= _NEAR else "green"
    return display.badge(display.percent_text(use.share), colour)


@admin.register(RiskBucket)
class RiskBucketAdmin(ReadOnlyAdmin):
    """One cap."""

    list_display = ["scope", "n_cap", "n_used", "n_left", "used_share"]
    list_display_links = ["scope"]
    fieldsets = [(None, {"fields": ["scope", "n_cap", "n_used", "n_left", "used_share"]})]
    readonly_fields = ["scope", "n_cap", "n_used", "n_left", "used_share"]

    scope = cell("code", "Limits", how=scope_words)
    n_cap = usd_cell("cap_usd", "Cap")
    n_used = usd_cell("at_risk_usd", "At risk now")

    @admin.display(description="Left")
    def n_left(self, row: RiskBucket) -> SafeString:
        return display.usd(limit_use(row).left_usd)

    @admin.display(description="Used")
    def used_share(self, row: RiskBucket) -> SafeString:
        return used_badge(limit_use(row))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskBucket]:
        """All caps with their use, in one query."""
        return buckets_with_use(super().get_queryset(request))
