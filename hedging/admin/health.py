"""Health: what the doctor found last, how long ago, and two buttons to ask again. Opening the page asks nobody."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from hedging.admin.runbooks import inline_html, runbook_html
from tonsurance.kernel.findings import Level
from tonsurance.plumbing import display
from tonsurance.plumbing.checkups import checkup_keep, checkup_run
from tonsurance.plumbing.models import Checkup
from tonsurance.plumbing.readonly import ReadOnlyAdmin
from tonsurance.plumbing.verbs import actor_of

COLOURS = {Level.OK.value: "green", Level.WARNING.value: "orange", Level.FAULT.value: "red"}
RUNS_SHOWN = 10
_RUNBOOKS = Path(settings.BASE_DIR) / "docs" / "runbooks"
_PAGE = "admin:plumbing_checkup_changelist"


@admin.register(Checkup)
class CheckupAdmin(ReadOnlyAdmin):
    """One page for all runs: the newest in full, the others as a list."""

    def get_urls(self) -> list[Any]:
        site = self.admin_site
        return [
            path("run/", site.admin_view(require_POST(self.run)), name="plumbing_checkup_run"),
            path("runbook/<slug:name>/", site.admin_view(self.runbook), name="plumbing_checkup_runbook"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        newest = Checkup.objects.first()
        wanted = request.GET.get("run", "")
        shown = Checkup.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() else newest
        context = {
            **self.admin_site.each_context(request),
            "title": "Health",
            "opts": self.opts,
            "shown": shown,
            "is_newest": shown is not None and newest is not None and shown.pk == newest.pk,
            "level": _level(shown),
            "sentence": _sentence(shown),
            "needed": _needed(shown),
            "groups": _groups(shown),
            "runs": _runs(),
            "may_run": self.has_make_permission(request),
            "run_address": reverse("admin:plumbing_checkup_run"),
        }
        return TemplateResponse(request, "admin/health.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse(_PAGE)}?run={object_id}")

    def run(self, request: HttpRequest) -> HttpResponse:
        """Ask every check now, or all that ask no venue; keep what was found."""
        if not self.has_make_permission(request):
            raise PermissionDenied
        diagnosis = checkup_run(is_quick="quick" in request.POST)
        checkup_keep(diagnosis, asked_by=actor_of(request))
        words = f"Asked {len(diagnosis.answers)} checks in {diagnosis.took_ms / 1000:.1f} s"
        messages.info(request, words)
        return HttpResponseRedirect(reverse(_PAGE))

    def runbook(self, request: HttpRequest, name: str) -> HttpResponse:
        """One page of docs/runbooks, for those who have no checkout at hand."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = _RUNBOOKS / f"{name}.md"
        if not re.fullmatch(r"[a-z-]+", name) or not page.is_file():
            raise Http404(f"no runbook {name!r}")
        title, body = runbook_html(page.read_text(encoding="utf-8"))
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "body": body,
            "back": reverse(_PAGE),
        }
        return TemplateResponse(request, "admin/runbook.html", context)


def _level(row: Checkup | None) -> SafeString:
    if row is None:
        return display.badge("Never asked")
    return display.badge(display.word(row.level), COLOURS[row.level])


def _sentence(row: Checkup | None) -> SafeString:
    if row is None:
        return format_html("{}", "Nobody has asked yet. The checks change nothing.")
    scope = "without asking the venues" if row.is_quick else "venues included"
    return format_html(
        "{}, {}; asked {} by {}, {}, in {} s",
        display.counted(row.faults_count, "fault"),
        display.counted(row.warnings_count, "warning"),
        display.ago(row.started_at),
        row.asked_by,
        scope,
        f"{row.took_ms / 1000:.1f}",
    )


def _groups(row: Checkup | None) -> list[tuple[str, SafeString]]:
    """(group, table) of a stored run; its JSON is our own, as `manage.py doctor --json` prints it."""
    checks = row.found["checks"] if row is not None else []
    return [
        (group, display.table(["", "Finding", "Check"], [line for check in part for line in _lines(check)]))
        for group, part in groupby(checks, key=lambda check: check["group"])
    ]


def _needed(row: Checkup | None) -> SafeString | None:
    """Faults, then warnings, of all groups; None when nothing needs a person."""
    checks = row.found["checks"] if row is not None else []
    wanted = [
        line for level in (Level.FAULT, Level.WARNING) for check in checks for line in _lines(check, level)
    ]
    return display.table(["", "Finding", "Check"], wanted) if wanted else None


def _lines(check: dict[str, Any], level: Level | None = None) -> list[tuple[Any, ...]]:
    """The rows of one check, or those of its findings of `level`."""
    name = format_html('<span class="bo-code">{}</span>', check["name"])
    if check["skipped"]:
        return [] if level else [(display.badge("Not asked"), check["skipped"], name)]
    found = [item for item in check["findings"] if level in (None, item["level"])]
    return [
        (display.badge(item["level"], COLOURS[item["level"]], title=item["code"]), _told(item), name)
        for item in found
    ]


def _told(item: dict[str, Any]) -> SafeString:
    """The sentence; below it what to do, and the page that says more."""
    if not item["remedy"]:
        return format_html("{}", item["sentence"])
    more = _runbook_link(item["runbook"])
    return format_html(
        '{}<p class="bo-remedy">{} {}</p>', item["sentence"], inline_html(item["remedy"]), more
    )


def _runbook_link(page: str) -> SafeString:
    name = Path(page).stem
    if not name:
        return SafeString("")
    return display.link(reverse("admin:plumbing_checkup_runbook", args=[name]), f"Runbook: {name}")


def _runs() -> SafeString:
    rows = Checkup.objects.defer("found")[:RUNS_SHOWN]
    return display.table(
        ["Asked", "Level", ">Faults", ">Warnings", "By", "Venues"],
        [
            (
                display.link(f"{reverse(_PAGE)}?run={row.pk}", display.moment_text(row.started_at)),
                display.badge(display.word(row.level), COLOURS[row.level]),
                display.count(row.faults_count),
                display.count(row.warnings_count),
                row.asked_by,
                "not asked" if row.is_quick else "asked",
            )
            for row in rows
        ],
    )
