"""A claim's life and what makes it payable: an event inside the term, for depeg a price below the trigger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from policies.domain.coverage import PolicyStatus, Trigger
from tonsurance.kernel.errors import Refused


class ClaimStatus(StrEnum):
    """FILED waits for a decision, APPROVED for the payment, PAID for the hedges, SETTLED is closed."""

    FILED = "filed"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAID = "paid"
    SETTLED = "settled"


OPEN = frozenset({ClaimStatus.FILED, ClaimStatus.APPROVED})
STEPS: dict[ClaimStatus, frozenset[ClaimStatus]] = {
    ClaimStatus.FILED: frozenset({ClaimStatus.APPROVED, ClaimStatus.REJECTED}),
    ClaimStatus.APPROVED: frozenset({ClaimStatus.PAID, ClaimStatus.REJECTED}),
    ClaimStatus.REJECTED: frozenset(),
    ClaimStatus.PAID: frozenset({ClaimStatus.SETTLED}),
    ClaimStatus.SETTLED: frozenset(),
}


def check_step(current: ClaimStatus, *, to: ClaimStatus) -> None:
    """Raises Refused when a claim may not go from `current` to `to`."""
    if to in STEPS[current]:
        return
    allowed = ", ".join(sorted(STEPS[current])) or "nothing"
    raise Refused(
        f"status: a claim that is {current} cannot become {to}",
        code="wrong_status",
        field="status",
        remedy=f"from {current} it may become {allowed}",
    )


def check_event(
    event_at: datetime,
    *,
    policy_status: PolicyStatus,
    starts_at: datetime,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Raises Refused unless the insured event happened under the cover."""
    if policy_status not in (PolicyStatus.ACTIVE, PolicyStatus.EXPIRED):
        raise Refused(
            f"policy: a policy that is {policy_status} cannot be claimed on",
            code="wrong_status",
            field="policy",
            remedy="choose a policy that is active, or one that expired after the event",
        )
    if event_at > now:
        raise Refused(
            f"event_at: {event_at.isoformat()} is still to come",
            field="event_at",
            remedy="give the moment at which the insured event happened",
        )
    if not starts_at <= event_at < expires_at:
        raise Refused(
            f"event_at: {event_at.isoformat()} is outside the term "
            f"{starts_at.isoformat()} to {expires_at.isoformat()}",
            field="event_at",
            remedy="only an event inside the policy's term is insured",
        )


def check_amount(amount_usd: Decimal, *, coverage_usd: Decimal) -> None:
    """Raises Refused unless 0 < `amount_usd` <= `coverage_usd`: a policy pays at most its coverage."""
    if amount_usd.is_finite() and 0 < amount_usd <= coverage_usd:
        return
    raise Refused(
        f"amount_usd: {amount_usd} is not between 0 and the coverage of {coverage_usd}",
        field="amount_usd",
        remedy=f"claim at most {coverage_usd} US dollars",
    )


def check_trigger(trigger: Trigger | None, *, observed_price: Decimal | None) -> None:
    """Raises Refused when a depeg claim shows no price below the policy's trigger."""
    if trigger is None:
        return
    if observed_price is None:
        raise Refused(
            "observed_price: a depeg claim needs the price that was seen over the trigger's window",
            field="observed_price",
            remedy="give the highest price over the window, in US dollars per coin",
        )
    if observed_price >= trigger.price:
        raise Refused(
            f"observed_price: {observed_price} is not below the trigger of {trigger.price}",
            code="trigger_not_met",
            field="observed_price",
            remedy="reject the claim, or give the price below the trigger with its evidence",
        )
