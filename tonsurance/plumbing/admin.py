"""What every page of the back office shares: rows of the book are read-only, and each page says where trading
goes.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from tonsurance.plumbing.counts import CappedPaginator

# Unfold's badge colours: green where nothing real can happen, red where it can.
_BADGES = {"PAPER": "info", "PRACTICE": "warning", "LIVE": "danger"}


def environment_badge(_request: HttpRequest) -> list[str]:
    """The trading environment, shown on every admin page (UNFOLD["ENVIRONMENT"])."""
    return [settings.TRADING_ENVIRONMENT, _BADGES[settings.TRADING_ENVIRONMENT]]


class ReadOnlyAdmin(ModelAdmin):
    """Rows of the book: looked at here, changed by named verbs only."""

    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator
    list_fullwidth = True
    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
