"""Keys of the API, and the badge on every page that says where trading goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from knox.models import AuthToken
from knox.settings import knox_settings
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import CardsAdmin
from tonsurance.plumbing.cells import ago_cell, cell, moment_cell
from tonsurance.plumbing.models import ApiKey
from tonsurance.plumbing.models.keys import Scope
from tonsurance.plumbing.readonly import ReadOnlyAdmin
from tonsurance.plumbing.verbs import NoQuestions, ask_and_do, row_of
from tonsurance.plumbing.words import choices

__all__ = ["ApiKeyAdmin", "ReadOnlyAdmin", "environment_badge"]

DAYS_MAX = 3650
# Unfold's badge colours: quiet where nothing real can happen, red where it can.
_BADGES = {"PAPER": "info", "PRACTICE": "warning", "LIVE": "danger"}

# knox's own page would make keys without scopes; ours replaces it.
admin.site.unregister(AuthToken)


def environment_badge(_request: HttpRequest) -> list[str]:
    """The trading environment, shown on every admin page (UNFOLD["ENVIRONMENT"])."""
    return [settings.TRADING_ENVIRONMENT, _BADGES[settings.TRADING_ENVIRONMENT]]


class KeyForm(forms.Form):
    """What a new key is for and what it may do."""

    name = forms.RegexField(
        r"^[\w.@+-]{1,80}$",
        label="Client",
        widget=UnfoldAdminTextInputWidget(),
        help_text="The client's name in the book. Keys of one client replace each other without losing retries.",
        error_messages={"invalid": "Use at most 80 letters, digits and @ . + - _"},
    )
    scopes = forms.MultipleChoiceField(
        choices=choices(Scope), initial=[Scope.READ.value], widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=DAYS_MAX,
        initial=knox_settings.TOKEN_TTL.days,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="The key opens nothing after so many days.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(CardsAdmin):
    """One key: who, what, how long. The key itself is shown once, when it is made."""

    list_display = ["name", "client", "scope_words", "begins_with", "state", "made", "expires"]
    list_select_related = ["token__user"]
    search_fields = ["name"]
    ordering = ["-id"]
    sortable_by: list[str] = []
    actions_list = ["new_key"]
    actions_detail = ["revoke"]
    fields = [
        "name",
        "client",
        "scope_words",
        "begins_with",
        "state",
        "made_full",
        "expires_full",
        "revoked_full",
    ]
    readonly_fields = fields

    client = cell("token.user.username", "Client", how=str, order="")
    scope_words = cell("scopes", "May", how=" and ".join, order="")
    begins_with = cell("token.token_key", "Begins with", how=lambda text: text[:8] + "…", order="")
    made = ago_cell("token.created", "Made")
    made_full = moment_cell("token.created", "Made")
    expires = ago_cell("token.expiry", "Expires")
    expires_full = moment_cell("token.expiry", "Expires")
    revoked_full = moment_cell("revoked_at", "Revoked")

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return display.badge("Revoked", "red")
        return display.badge("Usable", "green") if key.is_usable(now=utc_now()) else display.badge("Expired")

    @action(description="New key", url_path="new", permissions=["make"], icon="add")
    def new_key(self, request: HttpRequest) -> HttpResponse:
        """Ask for a client and scopes; the answer shows the key, this once."""
        form = KeyForm(request.POST if request.method == "POST" else None)
        spelling = ""
        if request.method == "POST" and form.is_valid():
            spelling = _make(**form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": "New API key",
            "form": form,
            "spelling": spelling,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/plumbing/new_key.html", context)

    @action(
        description="Revoke",
        url_path="revoke",
        permissions=["verb"],
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close a key for good."""
        key = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=utc_now())
            return f"The key {key} opens nothing any more"

        return ask_and_do(
            self,
            request,
            key,
            title="Revoke the key",
            sentence=f"The key {key} opens nothing from this moment on. This cannot be undone; make a new key instead.",
            act=act,
            form_class=NoQuestions,
            button="Revoke it",
            is_dangerous=True,
        )


def _make(*, name: str, scopes: list[str], days: int) -> str:
    with transaction.atomic():
        user, created = User.objects.get_or_create(username=name)
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        _, spelling = ApiKey.objects.create(user, name=name, scopes=scopes, lifetime=timedelta(days=days))
    return spelling
