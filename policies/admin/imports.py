"""Import files: uploaded, previewed row by row, then imported or discarded by a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget

from policies.admin import colours
from policies.domain.intake import COLUMNS, OPTIONAL_COLUMNS
from policies.models import PolicyImport
from policies.services.intake import UPLOAD_BYTES_MAX, import_confirm, import_discard, import_preview
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Conflict, Refused
from tonsurance.plumbing import display
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import badge_cell, cell, moment_cell
from tonsurance.plumbing.verbs import NoQuestions, actor_of, ask_and_do, row_of

FAULTS_SHOWN = 200


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,text/csv"}),
        help_text=f"CSV in UTF-8, at most {UPLOAD_BYTES_MAX // 1024 // 1024} MB; longer files by "
        "manage.py import_policies.",
    )


@admin.register(PolicyImport)
class PolicyImportAdmin(CardsAdmin):
    """One file and what became of it."""

    list_display = [
        "file_name",
        "status_word",
        "n_rows",
        "n_added",
        "n_bad",
        "n_coverage",
        "actor",
        "created",
    ]
    list_filter = ["status"]
    sortable_by: list[str] = []
    ordering = ["-id"]
    actions_list = ["upload_another"]
    actions_detail = ["import_all", "import_good", "discard"]
    fields = ["file_name", "status_word", "actor", "created", "imported", "sha"]
    readonly_fields = fields

    status_word = badge_cell("status", "Status", colours=colours.IMPORT)
    created = moment_cell("created_at", "Uploaded")
    imported = moment_cell("imported_at", "Imported")
    sha = cell("file_sha256", "SHA-256", how=display.short_hash, order="")
    n_rows = cell("report", "Rows", how=lambda report: display.count(report.get("rows")), order="")
    n_added = cell("report", "New", how=lambda report: display.count(report.get("added")), order="")
    n_bad = cell("report", "Bad", how=lambda report: display.count(report.get("bad")), order="")
    n_coverage = cell(
        "report", "New coverage", how=lambda report: display.usd(report.get("coverage_usd_added")), order=""
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    def get_urls(self) -> list[URLPattern]:
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="policies_policyimport_upload")
        return [upload, *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what still can be done; all rows only if all are good."""
        row = PolicyImport.objects.filter(pk=object_id).values("status", "report").first()
        if row is None or row["status"] != PolicyImport.Status.PREVIEWED:
            return []
        bad = row["report"].get("bad", 0)
        hidden = "import_all" if bad else "import_good"
        verbs = super().get_actions_detail(request, object_id)
        return [verb for verb in verbs if verb.method.original_function_name != hidden]

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        return [
            Card("What the file holds", _summary(row.report)),
            Card("Bad rows", _faults(row.report)),
            Card("The first rows, as they were understood", _sample(row.report)),
        ]

    def alarm(self, row: Any) -> str:
        if row.status == PolicyImport.Status.PREVIEWED and row.report.get("bad"):
            return f"{row.report['bad']:,} of {row.report['rows']:,} rows are bad. Nothing is imported yet."
        return ""

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take a file, check it, and show its preview. Nothing is imported."""
        if not request.user.has_perm("policies.import_policy"):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                if file.size > UPLOAD_BYTES_MAX:
                    raise Refused(f"file: {file.size:,} bytes are too many", remedy="split it")
                record = import_preview(
                    file.read(), file_name=file.name, actor=actor_of(request), now=utc_now()
                )
            except (Refused, Conflict) as refusal:
                form.add_error("file", f"{refusal.message}. {refusal.remedy}")
            else:
                return HttpResponseRedirect(reverse("admin:policies_policyimport_change", args=[record.pk]))
        columns = [(name, "may be left out" if name in OPTIONAL_COLUMNS else "needed") for name in COLUMNS]
        context = {
            **self.admin_site.each_context(request),
            "title": "Import policies",
            "form": form,
            "columns": display.table(["Column", ""], columns),
            "opts": self.opts,
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "admin/policies/upload.html", context, status=status)

    def has_import_policy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.import_policy")

    @action(
        description="Import CSV",
        url_path="another",
        permissions=["import_policy"],
        icon="upload_file",
    )
    def upload_another(self, request: HttpRequest) -> HttpResponse:
        """Go to the upload page."""
        return HttpResponseRedirect(reverse("admin:policies_policyimport_upload"))

    @action(
        description="Import all rows",
        url_path="confirm",
        permissions=["import_policy"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def import_all(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Import a file without a bad row."""
        return self._import(request, object_id, skip_bad=False)

    @action(
        description="Import the good rows only",
        url_path="confirm-good",
        permissions=["import_policy"],
        icon="rule",
        variant=ActionVariant.WARNING,
    )
    def import_good(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Import what is good and leave the bad rows out."""
        return self._import(request, object_id, skip_bad=True)

    @action(description="Discard", url_path="discard", permissions=["import_policy"], icon="delete")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the file."""
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            import_discard(row.pk)
            return f"{row.file_name} is discarded; nothing was imported"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Discard {row.file_name}",
            sentence="The file's content is forgotten and nothing is imported.",
            act=act,
            form_class=NoQuestions,
            button="Discard",
        )

    def _import(self, request: HttpRequest, object_id: str, *, skip_bad: bool) -> HttpResponse:
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            report = import_confirm(row.pk, skip_bad=skip_bad, actor=actor_of(request), now=utc_now())
            if not report.committed:
                raise Refused(
                    f"{report.bad:,} rows are bad now, so nothing was imported.",
                    remedy="Look at the preview, or import the good rows only.",
                )
            ring("hedging.orchestrate", "import")
            return (
                f"{report.added:,} policies imported ({display.usd_text(report.coverage_usd_added)}), "
                f"{report.already_there:,} were there already, {report.bad:,} bad rows left out"
            )

        left_out = f" {row.report['bad']:,} bad rows are left out." if skip_bad else ""
        return ask_and_do(
            self,
            request,
            row,
            title=f"Import {row.file_name}",
            sentence=f"{row.report['added']:,} policies with {display.usd_text(row.report['coverage_usd_added'])} of "
            f"coverage enter the book.{left_out} Every row is checked once more.",
            act=act,
            form_class=NoQuestions,
            button="Import",
        )


def _summary(report: dict[str, Any]) -> SafeString:
    facts = [
        ("Rows", f"{report.get('rows', 0):,}"),
        ("New policies", f"{report.get('added', 0):,}"),
        ("New coverage", display.usd_text(report.get("coverage_usd_added") or 0)),
        ("Already in the book", f"{report.get('already_there', 0):,}"),
        ("Bad rows", f"{report.get('bad', 0):,}"),
    ]
    body = format_html_join("", '<div class="bo-fact"><h3>{}</h3><p class="bo-figure">{}</p></div>', facts)
    return format_html('<div class="bo-grid">{}</div>', body)


def _faults(report: dict[str, Any]) -> SafeString:
    rows = [
        (fault["row"], fault["column"] or display.NOTHING, fault["message"], fault["remedy"])
        for fault in report.get("faults", [])[:FAULTS_SHOWN]
    ]
    return display.table(
        [">Row", "Column", "What is wrong", "What to do"], rows, empty="None: every row is good"
    )


def _sample(report: dict[str, Any]) -> SafeString:
    rows = [
        (
            row["row"],
            row["external_id"],
            row["product"],
            display.usd(row["coverage_usd"]),
            display.usd(row["premium_usd"]),
            (row["starts_at"] or "")[:16].replace("T", " "),
            (row["expires_at"] or "")[:16].replace("T", " "),
            display.badge(row["verdict"], colours.VERDICT.get(row["verdict"], "grey")),
        )
        for row in report.get("sample", [])
    ]
    heads = [">Row", "Id", "Product", ">Coverage", ">Premium", "Begins", "Ends", ""]
    return display.table(heads, rows, empty="The file has no rows")
