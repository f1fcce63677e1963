"""The run-time settings: what holds now, who set it and why, and one form to change one of them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from hedging.domain.config import SETTINGS, Kind, Setting
from hedging.models import HedgeConfigEntry
from hedging.services.config import config_read, config_set
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell, text_cell
from tonsurance.plumbing.verbs import ReasonForm, actor_of, ask_and_do

_VERSIONS_SHOWN = 100


def value_words(value: Any) -> str:
    """A setting's value as people say it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(
            f"{code} {display.percent_text(Decimal(str(share)))}" for code, share in value.items()
        )
    return str(value)


def range_words(item: Setting) -> str:
    """The type and range of a setting's value."""
    span = "" if item.low is None else f", from {item.low} to {item.high}"
    return f"{item.kind.value}{span}"


def as_typed(item: Setting, text: str) -> Any:
    """What a person typed as the JSON value that the setting parses; bad text stays text and is refused there."""
    if item.kind is Kind.SWITCH:
        return {"on": True, "true": True, "off": False, "false": False}.get(text.strip().lower(), text)
    if item.kind is Kind.SHARES:
        try:
            return json.loads(text, parse_float=Decimal)
        except ValueError:
            return text
    return text.strip()


def form_for(item: Setting) -> type[ReasonForm]:
    """The form of one setting: its value with type, range and meaning beside it, and the reason."""
    help_text = f"{item.description} Give {range_words(item)}."
    if item.kind is Kind.SWITCH:
        value: forms.Field = forms.ChoiceField(
            choices=[("off", "off"), ("on", "on")],
            widget=UnfoldAdminSelectWidget,
            label=item.name,
            help_text=help_text,
        )
    else:
        value = forms.CharField(
            max_length=500, widget=UnfoldAdminTextInputWidget, label=item.name, help_text=help_text
        )
    return type("SettingForm", (ReasonForm,), {"value": value, "field_order": ["value", "reason"]})


@admin.register(HedgeConfigEntry)
class HedgeConfigEntryAdmin(CardsAdmin):
    """Settings that differ from their defaults; all of them are on the page of any one."""

    list_display = ["key_word", "value_word", "by_whom", "why", "changed"]
    list_before_template = "admin/settings_list.html"
    ordering = ["key"]
    actions_detail = ["change_value"]
    fieldsets = [(None, {"fields": ["key_word", "value_word", "meaning", "by_whom", "why", "changed_full"]})]
    readonly_fields = ["key_word", "value_word", "meaning", "by_whom", "why", "changed_full"]

    key_word = cell("key", "Setting", how=str)
    by_whom = cell("changed_by", "Set by", how=str)
    why = text_cell("reason", "Reason")
    changed = ago_cell("changed_at", "Changed")
    changed_full = moment_cell("changed_at", "Changed")

    @admin.display(description="Value")
    def value_word(self, row: HedgeConfigEntry) -> str:
        return value_words(row.value)

    @admin.display(description="Meaning")
    def meaning(self, row: HedgeConfigEntry) -> SafeString:
        item = SETTINGS.get(row.key)
        return display.text_block(
            f"{item.description} Allowed: {range_words(item)}." if item else "No longer a setting"
        )

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        versions = row.history.order_by("-history_date", "-history_id")[:_VERSIONS_SHOWN]
        rows = [
            (
                display.moment(version.changed_at),
                value_words(version.value),
                version.changed_by,
                version.reason,
            )
            for version in versions
        ]
        return [Card("Every version", display.table(["When", "Value", "Set by", "Reason"], rows))]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"all_settings": _all_settings(can_change=self.has_verb_permission(request))} | (
            extra_context or {}
        )
        return super().changelist_view(request, extra)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.set_value)
        return [path("set/<slug:key>/", view, name="hedging_hedgeconfigentry_set"), *super().get_urls()]

    @action(
        description="Change",
        url_path="change-value",
        permissions=["verb"],
        icon="edit",
    )
    def change_value(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set this one."""
        return self.set_value(request, unquote(object_id))

    def set_value(self, request: HttpRequest, key: str) -> HttpResponse:
        """Ask for one setting's new value and a reason, and set it."""
        if not self.has_verb_permission(request):
            raise PermissionDenied
        item = SETTINGS.get(key)
        if item is None:
            raise Http404(f"there is no setting {key!r}")
        now_json = item.as_json(getattr(config_read(), item.attribute))

        def act(data: dict[str, Any]) -> str:
            value = as_typed(item, data["value"])
            row = config_set(key, value, actor=actor_of(request), reason=data["reason"], now=utc_now())
            return f"{key} is {value_words(row.value)} now (it was {value_words(now_json)})"

        return ask_and_do(
            self,
            request,
            None,
            title=f"Set {key}",
            sentence=f"It is {value_words(now_json)} now. The next cycle and the next send use the new value.",
            act=act,
            form_class=form_for(item),
            initial={"value": _editable(item, now_json)},
            button="Set it",
            is_dangerous=key == "enabled",
        )


def _editable(item: Setting, value: Any) -> str:
    return json.dumps(value) if item.kind is Kind.SHARES else value_words(value)


def _all_settings(*, can_change: bool) -> SafeString:
    now = config_read()
    rows = []
    for item in SETTINGS.values():
        value = item.as_json(getattr(now, item.attribute))
        is_default = value == item.as_json(item.default)
        edit = (
            display.link(reverse("admin:hedging_hedgeconfigentry_set", args=[item.name]), "Change")
            if can_change
            else ""
        )
        rows.append(
            (
                item.name,
                display.badge(
                    value_words(value),
                    "grey" if is_default else "blue",
                    title="default" if is_default else "",
                ),
                item.description,
                range_words(item),
                edit,
            )
        )
    return display.table(["Setting", "Holds now", "Meaning", "Allowed", ""], rows)
