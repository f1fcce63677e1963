"""The rules a promise obeys: its limits, its life, its trigger, and when two bodies are the same sale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from policies.domain.catalogue import CoverageType
from tonsurance.kernel.errors import Refused

# Published by the policy contract.
DURATION_DAYS_MIN = 7
DURATION_DAYS_MAX = 365
# Clocks differ; more than this in the past is backdating, which insures an event that is already known.
BACKDATING_MAX = timedelta(minutes=5)
START_AHEAD_MAX = timedelta(days=365)
EXTERNAL_ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
HOLDER_LENGTH_MAX = 128

# A depeg policy pays when the coin trades below the price for the whole window. $0.98 is the founding
# document's market ("USDC < $0.98"), 24 hours the window on which prediction markets of that wording resolve.
TRIGGER_PRICE_DEFAULT = Decimal("0.98")
TRIGGER_WINDOW_S_DEFAULT = 24 * 3600
TRIGGER_WINDOW_S_MIN = 60
TRIGGER_WINDOW_S_MAX = 7 * 24 * 3600


class PolicyStatus(StrEnum):
    """A policy's life. SCHEDULED has not begun, ACTIVE is in force, the others are over."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLAIMED = "claimed"
    SETTLED = "settled"


OVER = frozenset({PolicyStatus.EXPIRED, PolicyStatus.CANCELLED, PolicyStatus.CLAIMED, PolicyStatus.SETTLED})
STEPS: dict[PolicyStatus, frozenset[PolicyStatus]] = {
    PolicyStatus.SCHEDULED: frozenset({PolicyStatus.ACTIVE, PolicyStatus.CANCELLED}),
    PolicyStatus.ACTIVE: frozenset({PolicyStatus.EXPIRED, PolicyStatus.CANCELLED, PolicyStatus.CLAIMED}),
    # A claim on an event inside the term may be decided after the term.
    PolicyStatus.EXPIRED: frozenset({PolicyStatus.CLAIMED}),
    PolicyStatus.CANCELLED: frozenset(),
    PolicyStatus.CLAIMED: frozenset({PolicyStatus.SETTLED}),
    PolicyStatus.SETTLED: frozenset(),
}


class EventKind(StrEnum):
    """What may happen to a policy, each at most once per policy and claim."""

    SOLD = "sold"
    IMPORTED = "imported"
    ACTIVATED = "activated"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    CLAIM_FILED = "claim_filed"
    CLAIM_APPROVED = "claim_approved"
    CLAIM_REJECTED = "claim_rejected"
    CLAIM_PAID = "claim_paid"
    HEDGES_CLOSED = "hedges_closed"
    SETTLED = "settled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """A depeg policy's trigger: USD per coin, and seconds for which the price must stay below it."""

    price: Decimal
    window_s: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleTerms:
    """A sale as somebody states it; None where the seller left the choice to us."""

    holder: str
    product_id: int
    coverage_usd: Decimal
    premium_usd: Decimal | None
    starts_at: datetime | None
    expires_at: datetime | None
    duration_days: int | None
    trigger_price: Decimal | None
    trigger_window_s: int | None


def term(
    *, starts_at: datetime | None, expires_at: datetime | None, duration_days: int | None, now: datetime
) -> tuple[datetime, datetime]:
    """The first and last moment of cover. Raises Refused when they cannot be a term of 7 to 365 days."""
    if (expires_at is None) == (duration_days is None):
        raise Refused(
            "expires_at: give either expires_at or duration_days",
            field="expires_at",
            remedy="send exactly one of expires_at and duration_days",
        )
    start = starts_at or now
    check_start(start, now=now)
    if duration_days is not None and not DURATION_DAYS_MIN <= duration_days <= DURATION_DAYS_MAX:
        raise _wrong_term("duration_days", told=f"{duration_days} days")
    end = expires_at if expires_at is not None else start + timedelta(days=duration_days or 0)
    if end <= start:
        raise Refused(
            f"expires_at: {end.isoformat()} is not after starts_at {start.isoformat()}",
            field="expires_at",
            remedy="give an expires_at that lies after starts_at",
        )
    if not timedelta(days=DURATION_DAYS_MIN) <= end - start <= timedelta(days=DURATION_DAYS_MAX):
        raise _wrong_term("expires_at", told=str(end - start))
    return start, end


def _wrong_term(field: str, *, told: str) -> Refused:
    return Refused(
        f"{field}: a policy runs {DURATION_DAYS_MIN} to {DURATION_DAYS_MAX} days, not {told}",
        field=field,
        remedy=f"choose a term of {DURATION_DAYS_MIN} to {DURATION_DAYS_MAX} days",
    )


def check_start(starts_at: datetime, *, now: datetime) -> None:
    """Raises Refused for a sale that is backdated or more than a year ahead."""
    if starts_at < now - BACKDATING_MAX:
        raise Refused(
            f"starts_at: {starts_at.isoformat()} is in the past",
            field="starts_at",
            remedy="leave starts_at out to begin now, or give a moment to come",
        )
    if starts_at > now + START_AHEAD_MAX:
        raise Refused(
            f"starts_at: {starts_at.isoformat()} is more than {START_AHEAD_MAX.days} days ahead",
            field="starts_at",
            remedy=f"give a starts_at within {START_AHEAD_MAX.days} days",
        )


def check_coverage(
    coverage_usd: Decimal, *, least: Decimal, most: Decimal, field: str = "coverage_usd"
) -> None:
    """Raises Refused unless `least` <= `coverage_usd` <= `most` (USD, per policy) at six places or fewer.

    `field` is the caller's name of the amount.
    """
    if not coverage_usd.is_finite() or not least <= coverage_usd <= most:
        raise Refused(
            f"{field}: {coverage_usd} is outside this product's limits of ${least:,.2f} to ${most:,.2f}",
            field=field,
            remedy=f"give a coverage between {least:f} and {most:f} US dollars",
        )
    if coverage_usd != coverage_usd.quantize(Decimal("0.000001")):
        raise Refused(
            f"{field}: {coverage_usd} has more than six decimal places",
            field=field,
            remedy="round the coverage to six decimal places",
        )


def trigger_for(
    coverage_type: CoverageType, *, price: Decimal | None, window_s: int | None
) -> Trigger | None:
    """The trigger of a new policy: defaults filled in for depeg, none for the other types. Raises Refused."""
    if coverage_type is not CoverageType.DEPEG:
        if price is not None or window_s is not None:
            field = "trigger_price" if price is not None else "trigger_window_s"
            raise Refused(
                f"{field}: only depeg cover has a price trigger, not {coverage_type}",
                field=field,
                remedy="leave trigger_price and trigger_window_s out",
            )
        return None
    trigger = Trigger(
        price=TRIGGER_PRICE_DEFAULT if price is None else price,
        window_s=TRIGGER_WINDOW_S_DEFAULT if window_s is None else window_s,
    )
    if not Decimal(0) < trigger.price < Decimal(1):
        raise Refused(
            f"trigger_price: {trigger.price} is not between 0 and 1",
            field="trigger_price",
            remedy=f"give US dollars per coin below 1, for instance {TRIGGER_PRICE_DEFAULT}",
        )
    if not TRIGGER_WINDOW_S_MIN <= trigger.window_s <= TRIGGER_WINDOW_S_MAX:
        raise Refused(
            f"trigger_window_s: {trigger.window_s} s is outside "
            f"{TRIGGER_WINDOW_S_MIN} to {TRIGGER_WINDOW_S_MAX} s",
            field="trigger_window_s",
            remedy=f"give seconds, for instance {TRIGGER_WINDOW_S_DEFAULT}",
        )
    return trigger


def differing_fields(stated: SaleTerms, *, booked: SaleTerms) -> list[str]:
    """The fields in which a repeated sale differs from the one in the book; what was left to us is not
    compared.

    A repeat that leaves the start to us begins later by the clock and is the same sale if it lasts as long.
    """
    differing = [
        name
        for name in ("holder", "product_id", "coverage_usd")
        if getattr(stated, name) != getattr(booked, name)
    ]
    for name in ("premium_usd", "starts_at", "expires_at", "trigger_price", "trigger_window_s"):
        value = getattr(stated, name)
        if value is not None and value != getattr(booked, name):
            differing.append(name)
    if stated.duration_days is not None and stated.duration_days != booked.duration_days:
        differing.append("duration_days")
    return differing


def check_step(current: PolicyStatus, *, to: PolicyStatus) -> None:
    """Raises Refused when a policy may not go from `current` to `to`."""
    if to in STEPS[current]:
        return
    allowed = ", ".join(sorted(STEPS[current])) or "nothing"
    raise Refused(
        f"status: a policy that is {current} cannot become {to}",
        code="wrong_status",
        field="status",
        remedy=f"from {current} it may become {allowed}",
    )
