"""The life of an order: its states, the moves between them, and what they mean for sending and counting.

`TRANSITIONS` is repeated as a table in the database (`hedging/migrations/0002_rules.sql`), whose trigger has
the last word; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from venues.domain.gateway import Accepted, AlreadyKnown, Outcome, Rejected, Unknown


class OrderStatus(StrEnum):
    """Where one signed order stands.

    PREPARED: bytes stored, nobody has sent them. SENDING: an attempt is on record, bytes may be on the wire.
    UNKNOWN: no definitive answer. MANUAL: only a person may decide. ACKED, PARTIAL: the venue has it.
    NOT_PLACED: absence is proven. ABORTED: never sent and never will be.
    """

    PREPARED = "PREPARED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    MANUAL = "MANUAL"
    ACKED = "ACKED"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    NOT_PLACED = "NOT_PLACED"
    ABORTED = "ABORTED"


class IntentState(StrEnum):
    """OPEN: to be carried out. PARKED: waits for a person. DONE, ABANDONED: finished, all orders dead."""

    OPEN = "OPEN"
    DONE = "DONE"
    ABANDONED = "ABANDONED"
    PARKED = "PARKED"


_S = OrderStatus

LIVE: frozenset[OrderStatus] = frozenset(
    {_S.PREPARED, _S.SENDING, _S.UNKNOWN, _S.MANUAL, _S.ACKED, _S.PARTIAL}
)
"""May still cost money: counted at worst case in exposure and limits; at most one per intent."""

DEAD: frozenset[OrderStatus] = frozenset({_S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.NOT_PLACED, _S.ABORTED})
"""Ended short of its full amount; life shown afterwards goes to a person."""

TERMINAL: frozenset[OrderStatus] = DEAD | {_S.FILLED}
"""Nothing more will trade; the next generation of the intent may exist."""

WITHOUT_FILLS: frozenset[OrderStatus] = frozenset({_S.REJECTED, _S.NOT_PLACED, _S.ABORTED})
"""States that an order with a fill may not enter."""

_TABLE: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    # Known to the venue without a send of ours: only a redemption that others sent (ADOPTED).
    _S.PREPARED: (_S.SENDING, _S.ABORTED, _S.ACKED),
    _S.SENDING: (_S.ACKED, _S.PARTIAL, _S.FILLED, _S.CANCELLED, _S.REJECTED, _S.UNKNOWN),
    _S.UNKNOWN: (
        _S.ACKED,
        _S.PARTIAL,
        _S.FILLED,
        _S.CANCELLED,
        _S.EXPIRED,
        _S.REJECTED,
        _S.NOT_PLACED,
        _S.SENDING,
        _S.MANUAL,
    ),
    _S.MANUAL: (_S.ACKED, _S.PARTIAL, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.NOT_PLACED),
    _S.ACKED: (_S.PARTIAL, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED, _S.MANUAL),
    _S.PARTIAL: (_S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.MANUAL),
    # The venue's truth always wins: a dead order that shows life goes to a person, never silently anywhere else.
    _S.NOT_PLACED: (_S.MANUAL,),
    _S.REJECTED: (_S.MANUAL,),
    _S.ABORTED: (_S.MANUAL,),
    _S.EXPIRED: (_S.MANUAL,),
    _S.CANCELLED: (_S.MANUAL,),
    _S.FILLED: (),
}

TRANSITIONS: frozenset[tuple[OrderStatus, OrderStatus]] = frozenset(
    (old, new) for old, news in _TABLE.items() for new in news
)
"""Every legal move, as (from, to)."""


def can_move(old: OrderStatus, new: OrderStatus) -> bool:
    """Whether an order may go from `old` to `new`. Staying is not a move."""
    return (old, new) in TRANSITIONS


def may_succeed(predecessor: OrderStatus) -> bool:
    """Whether the next generation of an intent may exist: only when nothing of the predecessor can trade any more."""
    return predecessor in TERMINAL


def may_send(status: OrderStatus, *, resend_allowed: bool) -> bool:
    """Whether bytes may be sent: once from PREPARED; again from UNKNOWN only where the venue deduplicates them."""
    return status is _S.PREPARED or (status is _S.UNKNOWN and resend_allowed)


def is_stale(*, valid_until: datetime, now: datetime) -> bool:
    """Whether a decision is too old to be acted on; a PREPARED order of it is ABORTED."""
    return now >= valid_until


ADOPTED = "adopted:"
"""Begins the name of an order that we did not send: a redemption by the venue itself, or by hand."""

# Outcome tokens trade in steps of 0.01, and a venue may round one step up.
DUST = Decimal("0.01")
# What counts as "in full" when the venue's own rounding left a little over; the database trigger says the same.
_FULL_SHARE = Decimal("0.99")
_FULL_SLACK = Decimal("0.02")


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFacts:
    """What our row says of one order, as far as its next state depends on it. Sizes in units, money in USD."""

    state: OrderStatus
    spends_budget: bool
    size: Decimal
    notional_usd: Decimal
    filled_size: Decimal = Decimal(0)
    filled_usd: Decimal = Decimal(0)
    reported_size: Decimal | None = None
    resend_allowed: bool = False
    attempts: int = 0
    absent_proofs: int = 0
    last_absent_at: datetime | None = None
    sent_at: datetime | None = None
    acked_at: datetime | None = None
    fence_at: datetime | None = None
    expires_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> OrderFacts:
        """The facts of any object that has these attributes, such as a row of the orders table."""
        values = {name: getattr(row, name) for name in cls.__dataclass_fields__}
        return cls(**{**values, "state": OrderStatus(values["state"])})

    @property
    def is_filled_in_full(self) -> bool:
        """Whether what traded is the whole order, up to the venue's rounding."""
        if self.spends_budget:
            return self.filled_usd >= self.notional_usd * _FULL_SHARE - _FULL_SLACK
        return self.filled_size >= self.size * _FULL_SHARE - _FULL_SLACK

    @property
    def is_overfilled(self) -> bool:
        """Whether more traded than the bytes allow: impossible at an honest venue, so it goes to a person."""
        if self.spends_budget:
            return self.filled_usd > self.notional_usd + DUST
        return self.filled_size > self.size + DUST


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an order's state becomes, why, and what is to be done next.

    `look_up`: ask the venue for the order now. `needs_person`: our own request is at fault, sending it again
    is useless. `pause_s`: let the venue rest so long. `reason` is a sentence for people.
    """

    status: OrderStatus
    reason: str
    look_up: bool = False
    needs_person: bool = False
    pause_s: int | None = None


def judge_outcome(outcome: Outcome, *, attempt_no: int) -> Verdict:
    """The state of a SENDING order after the venue's answer to attempt `attempt_no`.

    REJECTED needs the venue's own definitive no to the first attempt: a no to a later one says nothing about
    the first, whose trade may be the very reason for the no. "Already known" is neither success nor failure.
    All else is UNKNOWN.
    """
    if attempt_no < 1:
        raise ValueError(f"attempts are counted from 1, not {attempt_no}")
    if isinstance(outcome, Accepted):
        return Verdict(
            status=_S.ACKED, reason=f"the venue has it: {outcome.status}", look_up=not outcome.is_resting
        )
    if isinstance(outcome, Rejected):
        said = f"{outcome.code}: {outcome.message}" if outcome.message else outcome.code
        pause_s = (outcome.retry_after_s or _PAUSE_S) if outcome.is_pause else None
        if attempt_no > 1:
            return Verdict(
                status=_S.UNKNOWN,
                reason=f"refused when sent again ({said}), which proves nothing about the first time",
                look_up=True,
                pause_s=pause_s,
            )
        return Verdict(
            status=_S.REJECTED, reason=f"refused: {said}", needs_person=outcome.is_ours, pause_s=pause_s
        )
    if isinstance(outcome, AlreadyKnown):
        return Verdict(
            status=_S.UNKNOWN, reason=f"the venue knows these bytes: {outcome.message}", look_up=True
        )
    return Verdict(
        status=_S.UNKNOWN,
        reason=_unknown_sentence(outcome),
        # Bytes that never left cannot be found; whether they left is not certain enough to skip the look-up.
        look_up=True,
        pause_s=outcome.retry_after_s,
    )


# How long a venue rests when it says "not now" without saying for how long.
_PAUSE_S = 30


def _unknown_sentence(outcome: Unknown) -> str:
    detail = f" ({outcome.message})" if outcome.message else ""
    sent = "" if outcome.reached_wire else "; nothing was sent"
    return f"no definitive answer: {outcome.reason}{detail}{sent}"
