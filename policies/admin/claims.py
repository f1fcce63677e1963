"""Claims, step by step: approve or reject, pay, settle; each verb with its own permission."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from policies.admin import colours
from policies.domain.claims import STEPS, ClaimStatus
from policies.models import Claim
from policies.services.claims import claim_approve, claim_pay, claim_reject, claim_settle
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.cards import Card, CardsAdmin
from tonsurance.plumbing.cells import ago_cell, badge_cell, cell, link_cell, moment_cell, text_cell, usd_cell
from tonsurance.plumbing.verbs import NoQuestions, actor_of, ask_and_do, row_of

_LEADS_TO = {
    "approve": ClaimStatus.APPROVED,
    "reject": ClaimStatus.REJECTED,
    "pay": ClaimStatus.PAID,
    "settle": ClaimStatus.SETTLED,
}


class PaymentForm(forms.Form):
    """How it was paid."""

    payment_reference = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The transfer's id, so that it can be found again.",
    )


@admin.register(Claim)
class ClaimAdmin(CardsAdmin):
    """One claim."""

    list_display = [
        "number",
        "policy_link",
        "product_name",
        "status_word",
        "n_amount",
        "event",
        "filed",
        "filed_by",
    ]
    list_filter = ["status"]
    list_select_related = ["policy__product"]
    search_fields = ["policy__external_id"]
    sortable_by: list[str] = []
    ordering = ["-id"]
    actions_detail = ["approve", "reject", "pay", "settle"]
    fieldsets = [
        (
            None,
            {"fields": ["number", "status_word", "policy_link", "product_name", "n_amount", "n_coverage"]},
        ),
        ("The event", {"fields": ["event_full", "n_observed", "n_trigger", "evidence_text"]}),
        ("Decision", {"fields": ["filed_full", "filed_by", "decided_full", "decided_by", "decision_text"]}),
        ("Payment", {"fields": ["paid_full", "paid_by", "payment_reference"]}),
        ("Hedges", {"fields": ["hedges_full", "n_recovery", "settled_full", "settled_by"]}),
    ]
    readonly_fields = [name for _, part in fieldsets for name in part["fields"]]

    number = cell("pk", "Claim", how=lambda pk: f"Claim {pk}", order="")
    policy_link = link_cell("policy", "Policy")
    product_name = cell("policy.product", "Product", how=str, order="")
    status_word = badge_cell("status", "Status", colours=colours.CLAIM)
    n_amount = usd_cell("amount_usd", "Amount")
    n_coverage = usd_cell("policy.coverage_usd", "Coverage")
    n_observed = cell("observed_price", "Observed price", how=display.price)
    n_trigger = cell("policy.trigger_price", "Pays below", how=display.price)
    n_recovery = usd_cell("hedge_recovery_usd", "Hedges brought")
    event = ago_cell("event_at", "Event")
    filed = ago_cell("filed_at", "Filed")
    event_full = moment_cell("event_at", "Happened")
    filed_full = moment_cell("filed_at", "Filed")
    decided_full = moment_cell("decided_at", "Decided")
    paid_full = moment_cell("paid_at", "Paid")
    hedges_full = moment_cell("hedges_closed_at", "Hedges closed")
    settled_full = moment_cell("settled_at", "Settled")
    evidence_text = text_cell("evidence", "Evidence")
    decision_text = text_cell("decision_reason", "Reason")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the verbs that the claim's status allows."""
        status = Claim.objects.filter(pk=object_id).values_list("status", flat=True).first()
        next_ones = STEPS[ClaimStatus(status)] if status else frozenset()
        verbs = super().get_actions_detail(request, object_id)
        return [verb for verb in verbs if _LEADS_TO[verb.method.original_function_name] in next_ones]

    def cards(self, request: HttpRequest, row: Any) -> list[Card]:
        events = [
            (display.moment(event.at), display.word(event.kind), event.actor) for event in row.events.all()
        ]
        return [Card("Every step", display.table(["When", "What", "Who"], events))]

    def alarm(self, row: Any) -> str:
        if row.status == ClaimStatus.PAID and row.hedges_closed_at is None:
            return "Paid, and the policy's hedges are not closed yet: the claim can be settled after that."
        return ""

    def has_decide_claim_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.decide_claim")

    def has_pay_claim_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.pay_claim")

    def has_settle_claim_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("policies.settle_claim")

    @action(description="Approve", url_path="approve", permissions=["decide_claim"], icon="check_circle")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Accept the claim."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            claim_approve(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Claim {row.pk} is approved and waits for its payment"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Approve claim {row.pk}",
            sentence=f"{display.usd_text(row.amount_usd)} on policy {row.policy} become payable.",
            act=act,
            button="Approve",
        )

    @action(
        description="Reject",
        url_path="reject",
        permissions=["decide_claim"],
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse the claim."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            claim_reject(row.pk, reason=data["reason"], actor=actor_of(request), now=utc_now())
            return f"Claim {row.pk} is rejected; the policy goes on"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Reject claim {row.pk}",
            sentence=f"Nothing is paid on this claim, and policy {row.policy} goes on as if there had been none.",
            act=act,
            button="Reject",
            is_dangerous=True,
        )

    @action(description="Record the payment", url_path="pay", permissions=["pay_claim"], icon="payments")
    def pay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note that the money has gone out; the policy's hedges are closed from here on."""
        row = row_of(self, request, object_id)

        def act(data: dict[str, Any]) -> str:
            claim_pay(
                row.pk, payment_reference=data["payment_reference"], actor=actor_of(request), now=utc_now()
            )
            ring("hedging.orchestrate", "claim paid")
            return f"Claim {row.pk} is paid; the policy's hedges are closed by the next cycle"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Record the payment of claim {row.pk}",
            sentence=f"{display.usd_text(row.amount_usd)} were paid to the holder of policy {row.policy}. The policy "
            "ends, its coverage leaves the exposure, and its hedges are closed by the next cycle.",
            act=act,
            form_class=PaymentForm,
            button="It is paid",
        )

    @action(description="Settle", url_path="settle", permissions=["settle_claim"], icon="task_alt")
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Close the claim."""
        row = row_of(self, request, object_id)

        def act(_data: dict[str, Any]) -> str:
            claim_settle(row.pk, actor=actor_of(request), now=utc_now())
            return f"Claim {row.pk} is settled"

        return ask_and_do(
            self,
            request,
            row,
            title=f"Settle claim {row.pk}",
            sentence=f"The hedges of policy {row.policy} brought {display.usd_text(row.hedge_recovery_usd)}. The claim "
            "and the policy are closed.",
            act=act,
            form_class=NoQuestions,
            button="Settle",
        )
