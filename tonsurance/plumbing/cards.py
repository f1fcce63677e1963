"""A row's page with cards below its fields: tables, ladders and histories that do not fit in a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from tonsurance.plumbing.readonly import ReadOnlyAdmin


@dataclass(frozen=True, slots=True)
class Card:
    """A titled piece of safe HTML."""

    title: str
    body: SafeString


class CardsAdmin(ReadOnlyAdmin):
    """A read-only page; `alarm` is shown in red above everything, `cards` below the fields."""

    change_form_outer_before_template = "admin/alarm.html"
    change_form_outer_after_template = "admin/cards.html"

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        """What to show below the fields of `row`."""
        return []

    def alarm(self, row: Any) -> str:
        """What a person must know first ("" when nothing)."""
        return ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        extra = dict(extra_context or {})
        if row is not None and self.has_view_permission(request, row):
            extra |= {"cards": self.cards(request, row), "alarm": self.alarm(row)}
        return super().change_view(request, object_id, form_url, extra)
