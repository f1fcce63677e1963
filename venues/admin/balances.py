"""What venues said our balances were."""

from __future__ import annotations

from django.contrib import admin

from tonsurance.plumbing.admin import ReadOnlyAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, usd_cell
from venues.models import BalanceSnapshot


@admin.register(BalanceSnapshot)
class BalanceSnapshotAdmin(ReadOnlyAdmin):
    """One answer about money."""

    list_display = ["venue_name", "currency", "n_total", "taken"]
    list_filter = ["venue", "currency"]
    list_select_related = ["venue"]
    ordering = ["-id"]
    fieldsets = [(None, {"fields": ["venue_name", "currency", "n_total", "taken_full"]})]
    readonly_fields = ["venue_name", "currency", "n_total", "taken_full"]

    venue_name = cell("venue.name", "Venue", how=str)
    n_total = usd_cell("total", "Total")
    taken = ago_cell("taken_at", "Told")
    taken_full = moment_cell("taken_at", "Told")
