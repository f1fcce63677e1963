"""A claim's verbs: filed, approved or rejected, paid, its hedges closed, settled; one transaction each.

Paying a claim ends the policy and takes its coverage out of the exposure; the hedging department then closes
the hedges, notes what they brought, and the claim can be settled.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from policies.domain import claims, coverage
from policies.domain.claims import ClaimStatus
from policies.domain.coverage import EventKind, PolicyStatus, Trigger
from policies.models import Claim, Policy, PolicyEvent
from policies.services.policies import policy_end, policy_lock
from tonsurance.kernel.errors import Conflict, Refused


def claim_file(
    policy_id: int,
    *,
    event_at: datetime,
    evidence: str,
    actor: str,
    now: datetime,
    amount_usd: Decimal | None = None,
    observed_price: Decimal | None = None,
) -> Claim:
    """Open a claim of `amount_usd` (default: the whole coverage) for an event inside the policy's term.

    Raises Refused when the event, amount or evidence cannot be claimed, Conflict when a claim is already
    alive.
    """
    _need_text(
        evidence, field="evidence", remedy="say what shows the event: links, transaction ids, price sources"
    )
    with transaction.atomic():
        policy = policy_lock(policy_id)
        claims.check_event(
            event_at,
            policy_status=PolicyStatus(policy.status),
            starts_at=policy.starts_at,
            expires_at=policy.expires_at,
            now=now,
        )
        amount = policy.coverage_usd if amount_usd is None else amount_usd
        claims.check_amount(amount, coverage_usd=policy.coverage_usd)
        if _alive(policy):
            raise Conflict(
                "policy: a claim on this policy is already open or paid",
                code="claim_exists",
                field="policy",
                remedy="look at the policy's claims",
            )
        claim = Claim.objects.create(
            policy=policy,
            status=ClaimStatus.FILED.value,
            amount_usd=amount,
            event_at=event_at,
            observed_price=observed_price,
            evidence=evidence.strip(),
            filed_at=now,
            filed_by=actor,
        )
        _tell(claim, EventKind.CLAIM_FILED, at=now, actor=actor, amount_usd=str(amount))
    return claim


def claim_approve(claim_id: int, *, reason: str, actor: str, now: datetime) -> Claim:
    """Accept a claim. For depeg the observed price must lie below the policy's trigger. Raises Refused."""
    _need_text(reason, field="reason", remedy="say why the claim is good")
    with transaction.atomic():
        claim, policy = _lock(claim_id)
        claims.check_step(ClaimStatus(claim.status), to=ClaimStatus.APPROVED)
        claims.check_trigger(_trigger(policy), observed_price=claim.observed_price)
        _decide(claim, ClaimStatus.APPROVED, reason=reason, actor=actor, now=now)
        _tell(claim, EventKind.CLAIM_APPROVED, at=now, actor=actor, reason=reason)
    return claim


def claim_reject(claim_id: int, *, reason: str, actor: str, now: datetime) -> Claim:
    """Refuse a claim that is not paid; the policy goes on as if there had been none. Raises Refused."""
    _need_text(reason, field="reason", remedy="say why the claim is refused")
    with transaction.atomic():
        claim, _ = _lock(claim_id)
        claims.check_step(ClaimStatus(claim.status), to=ClaimStatus.REJECTED)
        _decide(claim, ClaimStatus.REJECTED, reason=reason, actor=actor, now=now)
        _tell(claim, EventKind.CLAIM_REJECTED, at=now, actor=actor, reason=reason)
    return claim


def claim_pay(claim_id: int, *, payment_reference: str, actor: str, now: datetime) -> Claim:
    """Note that the claim was paid; the policy is claimed and its coverage leaves the exposure. Raises
    Refused.
    """
    _need_text(payment_reference, field="payment_reference", remedy="give the transfer's id")
    with transaction.atomic():
        claim, policy = _lock(claim_id)
        claims.check_step(ClaimStatus(claim.status), to=ClaimStatus.PAID)
        coverage.check_step(PolicyStatus(policy.status), to=PolicyStatus.CLAIMED)
        claim.status = ClaimStatus.PAID.value
        claim.paid_at, claim.paid_by, claim.payment_reference = now, actor, payment_reference.strip()
        claim.save(update_fields=["status", "paid_at", "paid_by", "payment_reference"])
        policy_end(policy, status=PolicyStatus.CLAIMED, now=now)
        _tell(claim, EventKind.CLAIM_PAID, at=now, actor=actor, payment_reference=claim.payment_reference)
    return claim


def claim_note_hedges_closed(claim_id: int, *, recovery_usd: Decimal, actor: str, now: datetime) -> Claim:
    """Note what the policy's hedges brought, USD (0 if there were none; may be negative). Idempotent.

    Raises Refused before the payment, Conflict when another sum was noted before.
    """
    with transaction.atomic():
        claim, _ = _lock(claim_id)
        if claim.paid_at is None:
            raise Refused(
                "claim: hedges are closed after the payment",
                code="wrong_status",
                field="claim",
                remedy="pay the claim first",
            )
        if claim.hedges_closed_at is not None:
            if claim.hedge_recovery_usd == recovery_usd:
                return claim
            raise Conflict(
                f"recovery_usd: {claim.hedge_recovery_usd} was noted before, not {recovery_usd}",
                field="recovery_usd",
                remedy="find out which of the two sums is right",
            )
        claim.hedges_closed_at, claim.hedge_recovery_usd = now, recovery_usd
        claim.save(update_fields=["hedges_closed_at", "hedge_recovery_usd"])
        _tell(claim, EventKind.HEDGES_CLOSED, at=now, actor=actor, recovery_usd=str(recovery_usd))
    return claim


def claim_settle(claim_id: int, *, actor: str, now: datetime) -> Claim:
    """Close a paid claim whose hedges are closed; the policy is settled. Raises Refused."""
    with transaction.atomic():
        claim, policy = _lock(claim_id)
        claims.check_step(ClaimStatus(claim.status), to=ClaimStatus.SETTLED)
        if claim.hedges_closed_at is None:
            raise Refused(
                "claim: the policy's hedges are still open",
                code="hedges_open",
                field="claim",
                remedy="close the policy's hedges; a cycle does so within minutes of the payment",
            )
        coverage.check_step(PolicyStatus(policy.status), to=PolicyStatus.SETTLED)
        claim.status = ClaimStatus.SETTLED.value
        claim.settled_at, claim.settled_by = now, actor
        claim.save(update_fields=["status", "settled_at", "settled_by"])
        policy_end(policy, status=PolicyStatus.SETTLED, now=now)
        _tell(claim, EventKind.SETTLED, at=now, actor=actor)
    return claim


def _lock(claim_id: int) -> tuple[Claim, Policy]:
    """The claim and its policy, locked in the order policy, claim. Raises Refused when there is no such
    claim.
    """
    policy_id = Claim.objects.filter(pk=claim_id).values_list("policy_id", flat=True).first()
    if policy_id is None:
        raise Refused(
            f"claim: there is no claim {claim_id}",
            code="not_found",
            field="claim",
            remedy="choose a claim of the list",
        )
    policy = policy_lock(policy_id)
    return Claim.objects.select_for_update().get(pk=claim_id), policy


def _alive(policy: Policy) -> bool:
    return Claim.objects.filter(policy=policy).exclude(status=ClaimStatus.REJECTED.value).exists()


def _trigger(policy: Policy) -> Trigger | None:
    if policy.trigger_price is None or policy.trigger_window_s is None:
        return None
    return Trigger(price=policy.trigger_price, window_s=policy.trigger_window_s)


def _decide(claim: Claim, status: ClaimStatus, *, reason: str, actor: str, now: datetime) -> None:
    claim.status = status.value
    claim.decided_at, claim.decided_by, claim.decision_reason = now, actor, reason.strip()
    claim.save(update_fields=["status", "decided_at", "decided_by", "decision_reason"])


def _tell(claim: Claim, kind: EventKind, *, at: datetime, actor: str, **detail: Any) -> None:
    PolicyEvent.objects.create(
        policy_id=claim.policy_id, claim=claim, kind=kind.value, at=at, actor=actor, detail=detail
    )


def _need_text(text: str, *, field: str, remedy: str) -> None:
    if not text.strip():
        raise Refused(f"{field}: this verb needs it", field=field, remedy=remedy)
