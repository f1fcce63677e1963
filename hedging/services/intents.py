"""The life of a decision: claimed when due, advanced when its order is dead, finished with a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import connection, transaction
from django.db.models import Count, F

from hedging.domain.plans import MAIN
from hedging.domain.resting import SENT_BEFORE_END_S
from hedging.models import Cycle, CycleTarget, Intent, IntentDemand, IntentSlice
from hedging.models.orders import LIVE_STATES
from hedging.selectors.mappings import instruments_hold_buyable
from hedging.selectors.slices import SliceToClose
from tonsurance.kernel.errors import Refused
from venues.domain.gateway import Side

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
"""How long a claimed intent is left to its claimant before another may try."""

DISPATCHES_MAX = 40
"""More tries than this without an end is a poison row: it is parked for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What one intent is to say.

    `leg` is its lane; on the lane RESTING it is a bid that rests for at most `rests_for`. `demands`: payout wanted per
    product id, USD, the weights of a purchase's attribution. `slices`: what a sale closes.
    """

    instrument: Instrument
    side: Side
    size: Decimal
    notional_usd: Decimal
    price_limit: Decimal
    demands: Mapping[int, Decimal] = field(default_factory=dict)
    slices: Sequence[SliceToClose] = ()
    target: CycleTarget | None = None
    policy_id: int | None = None
    leg: str = MAIN
    rests_for: timedelta | None = None


def intent_open(
    decision: Decision, *, valid_for: timedelta, actor: str, now: datetime, cycle: Cycle | None = None
) -> Intent | None:
    """Write one decision; None when its lane already has a live one, or another process was first."""
    return next(iter(intents_open([decision], valid_for=valid_for, actor=actor, now=now, cycle=cycle)), None)


def intents_open(
    decisions: Sequence[Decision],
    *,
    valid_for: timedelta,
    actor: str,
    now: datetime,
    cycle: Cycle | None = None,
) -> list[Intent]:
    """Write decisions together; those whose lane already has a live one, or where another process was first, are left.

    The key is the lane and the number of decisions made on it before, so that two processes that decide at once make
    the same key, and one of them loses.
    """
    lanes = Intent.objects.filter(instrument_id__in=[item.instrument.pk for item in decisions])
    made = {
        (instrument, leg): count
        for instrument, leg, count in lanes.values_list("instrument_id", "leg")
        .annotate(made=Count("pk"))
        .order_by()
    }
    rows = {}
    for item in decisions:
        buys = item.side == Side.BUY
        number = made.get((item.instrument.pk, item.leg), 0)
        row = Intent(
            decision_key=f"{item.instrument.venue_id}:{item.instrument.instrument_id}:{item.leg}:{number}",
            cycle=cycle,
            target=item.target,
            policy_id=item.policy_id,
            venue_id=item.instrument.venue_id,
            instrument=item.instrument,
            leg=item.leg,
            purpose=Intent.Purpose.OPEN if buys else Intent.Purpose.CLOSE,
            side=item.side.value,
            size=item.size,
            notional_usd=item.notional_usd,
            price_limit=item.price_limit,
            next_attempt_at=now,
            valid_until=now + _sendable_for(item, valid_for),
            time_in_force="GTD" if item.rests_for else "FAK",
            rest_until=now + item.rests_for if item.rests_for else None,
            created_at=now,
            requested_by=actor,
        )
        rows[row.pk] = (row, item)
    with transaction.atomic():
        rows = _without_unmapped(rows)
        Intent.objects.bulk_create([row for row, _ in rows.values()], batch_size=500, ignore_conflicts=True)
        written = set(Intent.objects.filter(pk__in=list(rows)).values_list("pk", flat=True))
        _attach([rows[key] for key in rows if key in written])
    for row, _ in rows.values():
        if row.pk not in written:
            log.info("lane taken", instrument=row.instrument_id)
    return [row for row, _ in rows.values() if row.pk in written]


def _without_unmapped(
    rows: dict[uuid.UUID, tuple[Intent, Decision]],
) -> dict[uuid.UUID, tuple[Intent, Decision]]:
    """Leave out purchases whose mapping was suspended since the plan was made; one must not cost all others."""
    bought = {row.instrument_id for row, _ in rows.values() if row.purpose == Intent.Purpose.OPEN}
    gone = bought - instruments_hold_buyable(bought) if bought else set()
    for instrument_id in sorted(gone):
        log.info("not mapped any more", instrument=instrument_id)
    return {
        key: (row, item)
        for key, (row, item) in rows.items()
        if row.purpose != Intent.Purpose.OPEN or row.instrument_id not in gone
    }


def _sendable_for(item: Decision, valid_for: timedelta) -> timedelta:
    """How long a decision may be acted on; what rests must leave long enough before it ends."""
    if item.rests_for is None:
        return valid_for
    return min(valid_for, item.rests_for - timedelta(seconds=SENT_BEFORE_END_S))


def _attach(written: Sequence[tuple[Intent, Decision]]) -> None:
    """Write for whom intents buy, or what they close."""
    IntentDemand.objects.bulk_create(
        [
            IntentDemand(intent=intent, product_id=key, weight_usd=usd)
            for intent, item in written
            for key, usd in item.demands.items()
        ],
        batch_size=5000,
    )
    IntentSlice.objects.bulk_create(
        [
            IntentSlice(
                intent=intent,
                hedge_position_id=part.hedge_position_id,
                size=part.size,
                closed_before=part.closed_before,
            )
            for intent, item in written
            for part in item.slices
        ],
        batch_size=5000,
    )


_CLAIM = """
    WITH due AS (
        SELECT id FROM hedging_intent
        WHERE state = 'OPEN' AND venue_id = %(venue)s AND next_attempt_at <= %(now)s
        ORDER BY (id = %(first)s) DESC, next_attempt_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    UPDATE hedging_intent i SET next_attempt_at = %(lease)s FROM due WHERE i.id = due.id RETURNING i.id"""

_COUNT = """
    UPDATE hedging_intent SET dispatch_count = dispatch_count + 1
    WHERE id = ANY(%s) AND state = 'OPEN' AND dispatch_count < %s RETURNING id"""

_PARK = """
    UPDATE hedging_intent
    SET state = 'PARKED', outcome = format('parked after %%s tries without an end; look at its orders', dispatch_count)
    WHERE id = ANY(%s) AND state = 'OPEN' AND dispatch_count >= %s RETURNING id"""


def intents_claim_due(
    venue_code: str, *, now: datetime, limit: int, first: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Lease up to `limit` open intents of a venue that are due, skipping those that another process holds.

    `first`, where it is due, is among them.
    """
    nobody = uuid.UUID(int=0)
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {"lease": now + LEASE, "venue": venue_code, "now": now, "first": first or nobody, "limit": limit},
        )
        return [row[0] for row in cursor.fetchall()]


def intents_count_dispatch(intent_ids: Sequence[uuid.UUID]) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Count a try *before* the work, so that work which kills its process is counted too.

    Returns the intents that may be worked on, and those that were parked as poison.
    """
    ids = sorted(intent_ids)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM hedging_intent WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids])
        cursor.execute(_COUNT, [ids, DISPATCHES_MAX])
        counted = {row[0] for row in cursor.fetchall()}
        parked: set[uuid.UUID] = set()
        if len(counted) < len(ids):
            cursor.execute(_PARK, [[key for key in ids if key not in counted], DISPATCHES_MAX])
            parked = {row[0] for row in cursor.fetchall()}
    for key in parked:
        log.error("intent parked", intent=str(key))
    return counted, parked


def intent_finish(intent_id: uuid.UUID, *, state: str, outcome: str, now: datetime) -> bool:
    """End an intent that has no live order; False when one lives or it has ended already."""
    with transaction.atomic():
        intent = Intent.objects.select_for_update().get(pk=intent_id)
        if intent.state not in (Intent.State.OPEN, Intent.State.PARKED):
            return False
        if intent.orders.filter(state__in=LIVE_STATES).exists():
            return False
        intent.state = state
        intent.outcome = outcome[:300]
        intent.finished_at = now
        intent.save(update_fields=["state", "outcome", "finished_at"])
    log.info("intent finished", intent=str(intent_id), state=state, outcome=outcome)
    return True


def intent_give_up(intent_id: uuid.UUID, *, actor: str, reason: str, now: datetime) -> None:
    """A person ends a parked decision. Raises Refused without a reason, for one not parked, or with a live order."""
    if not reason.strip():
        raise Refused("reason: say why the decision is given up", field="reason")
    if not Intent.objects.filter(pk=intent_id, state=Intent.State.PARKED).exists():
        raise Refused("state: only a parked decision is given up by a person")
    outcome = f"given up by {actor}: {reason.strip()}"
    if not intent_finish(intent_id, state=Intent.State.ABANDONED, outcome=outcome, now=now):
        raise Refused("state: an order of it is not over yet; look that order up first")


def intents_postpone(
    intent_ids: Collection[uuid.UUID], *, until: datetime, why: str, was_try: bool = True
) -> None:
    """Leave open intents alone until `until`; `why` is shown beside them.

    `was_try` False takes the counted try back: a pause, a switch or a budget is no fault of the decision's.
    """
    rows = Intent.objects.filter(pk__in=list(intent_ids), state=Intent.State.OPEN)
    rows.update(next_attempt_at=until, outcome=why[:300])
    if not was_try:
        rows.filter(dispatch_count__gt=0).update(dispatch_count=F("dispatch_count") - 1)
