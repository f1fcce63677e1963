"""Policies: found by name or filter, read-only, with the verbs cancel and file a claim."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from policies.admin import colours
from policies.domain.coverage import PolicyStatus
from policies.models import Policy
from policies.selectors.history import policy_history
from policies.services.claims import claim_file
from policies.services.policies import policy_cancel
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, badge_cell, cell, link_cell, moment_cell, usd_cell
from tonsurance.plumbing.counts import CappedPaginator
from tonsurance.plumbing.verbs import actor_of, ask_and_do, row_of


class ClaimForm(forms.Form):
    """What happened, and how it is known."""

    event_at = forms.DateTimeField(
        label="When it happened (UTC)",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-11-21 12:00:00"}),
        help_text="Inside the policy's term.",
    )
    amount_usd = forms.DecimalField(
        label="Amount, US dollars",
        max_digits=24,
        decimal_places=6,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Empty for the whole coverage.",
    )
    evidence = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="What shows the event: links, transaction ids, price sources.",
    )


class DepegClaimForm(ClaimForm):
    """Depeg also needs the price that was seen."""

    observed_price = forms.DecimalField(
        label="Observed price, US dollars per coin",
        max_digits=24,
        decimal_places=10,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The highest price over the trigger's window; payable below the trigger.",
    )


@admin.register(Policy)
class PolicyAdmin(CardsAdmin):
    """One promise."""

    list_display = [
        "external_id",
        "product_name",
        "n_coverage",
        "n_premium",
        "status_word",
        "begins",
        "ends",
        "holder_short",
        "source",
    ]
    list_filter = ["status", "product__coverage_type", "product__chain", "product__stablecoin"]
    list_select_related = ["product"]
    paginator = CappedPaginator
    search_fields = ["external_id"]
    search_help_text = "The policy's id, or how it begins"
    sortable_by: list[str] = []
    ordering = ["-id"]
    actions_list = ["import_csv"]
    actions_detail = ["file_claim", "cancel"]
    fieldsets = [
        (None, {"fields": ["external_id", "status_word", "product_link", "holder"]}),
        ("Cover", {"fields": ["n_coverage", "n_premium", "begins_full", "ends_full", "ended_full"]}),
        ("Trigger", {"fields": ["n_trigger", "window"]}),
        ("In the book", {"fields": ["source", "created_full"]}),
    ]
    readonly_fields = [name for _, part in fieldsets for name in part["fields"]]

    product_name = cell("product", "Product", how=str, order="")
    product_link = link_cell("product", "Product")
    n_coverage = usd_cell("coverage_usd", "Coverage")
    n_premium = usd_cell("premium_usd", "Premium")
    status_word = badge_cell("status", "Status", colours=colours.POLICY)
    begins = ago_cell("starts_at", "Began")
    ends = ago_cell("expires_at", "Ends")
    begins_full = moment_cell("starts_at", "Begins")
    ends_full = moment_cell("expires_at", "Ends")
    ended_full = moment_cell("ended_at", "Ended")
    created_full = moment_cell("created_at", "Recorded")
    n_trigger = cell("trigger_price", "Pays below", how=display.price)
    window = cell(
        "trigger_window_s",
        "for the whole of",
        how=lambda seconds: display.NOTHING if seconds is None else f"{seconds / 3600:g} hours",
    )
    holder_short = cell("holder", "Holder", how=display.short_hash, order="")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Policy], search_term: str
    ) -> tuple[QuerySet[Policy], bool]:
        """By the beginning of the id: the unique index answers it."""
        term = search_term.strip().replace("\x00", "")
        return (queryset.filter(external_id__startswith=term) if term else queryset), False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the verbs that the policy's status allows."""
        status = Policy.objects.filter(pk=object_id).values_list("status", flat=True).first()
        allowed = {
            "cancel": status in (PolicyStatus.SCHEDULED, PolicyStatus.ACTIVE),
            "file_claim": status in (PolicyStatus.ACTIVE, PolicyStatus.EXPIRED),
        }
        verbs = super().get_actions_detail(request, object_id)
        return [verb for verb in verbs if allowed[verb.method.original_function_name]]

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        events = [
            (
                display.moment(step.at),
                display.word(step.kind),
                step.actor,
                ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in step.detail.items()),
            )
            for step in policy_history(row)
        ]
        claims = [
            (
                display.admin_link(claim),
                display.badge(display.word(claim.status), colours.CLAIM.get(claim.status, "grey")),
                display.usd(claim.amount_usd),
                display.moment(claim.filed_at),
                claim.filed_by,
            )
            for claim in row.claims.all()
        ]
        return [
            Card(
                "Claims", display.table(["Claim", "Status", ">Amount", "Filed", "By"], claims, empty="None")
            ),
            Card("Every step", display.table(["When", "What", "Who", "Details"], events)),
        ]

    def has_import_policy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.import_policy")

    def has_cancel_policy_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.cancel_policy")

    def has_add_claim_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.add_claim")

    @action(
        description="Import CSV",
        url_path="import",
        permissions=["import_policy"],
        icon="upload_file",
    )
    def import_csv(self, request: HttpRequest) -> HttpResponse:
        """Go to the upload page."""
        return HttpResponseRedirect(reverse("admin:policies_policyimport_upload"))

    @action(
        description="Cancel",
        url_path="cancel",
        permissions=["cancel_policy"],
        icon="cancel",
        variant=ActionVariant.DANGER,
    )
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the policy before its time."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            policy_cancel(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            ring("hedging.orchestrate", "cancelled")
            return f"Policy {row} is cancelled; its hedges are sold by the next cycle"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Cancel policy {row}",
            sentence=f"{display.usd_text(row.coverage_usd)} of {row.product} end now, and the policy's hedges are "
            "sold by the next cycle. This cannot be undone.",
            act=act,
            button="Cancel the policy",
            is_dangerous=True,
        )

    @action(description="File a claim", url_path="claim", permissions=["add_claim"], icon="gavel")
    def file_claim(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open a claim on the policy."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            claim = claim_file(row.pk, **data, actor=actor_of(request), now=utc_now())
            return f"{str(claim).capitalize()} is filed and waits for a decision"

        trigger = ""
        if row.trigger_price is not None:
            trigger = (
                f" It pays when {row.product.stablecoin} trades below {display.price_text(row.trigger_price)} for "
                f"{row.trigger_window_s / 3600:g} hours."
            )
        return ask_and_do(
            self,
            request,
            row,
            title=f"File a claim on policy {row}",
            sentence=f"The policy covers {display.usd_text(row.coverage_usd)} of {row.product} from "
            f"{display.moment_text(row.starts_at)} to {display.moment_text(row.expires_at)}.{trigger}",
            act=act,
            form_class=ClaimForm if row.trigger_price is None else DepegClaimForm,
            initial={"event_at": f"{utc_now():%Y-%m-%d %H:%M:%S}"},
            button="File the claim",
        )
