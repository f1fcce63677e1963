"""The life of a decision: claimed when due, advanced when its order is dead, finished with a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from hedging.models import Cycle, CycleTarget, Intent, IntentDemand, IntentSlice
from hedging.models.orders import LIVE_STATES
from hedging.selectors.slices import SliceToClose
from venues.domain.gateway import Side

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

LEG = "main"
"""The one lane of an instrument; hedges of several legs name theirs."""

LEASE = timedelta(seconds=30)
"""How long a claimed intent is left to its claimant before another may try."""

DISPATCHES_MAX = 40
"""More tries than this without an end is a poison row: it is parked for a person."""


def intent_open(
    *,
    instrument: Instrument,
    side: Side,
    size: Decimal,
    notional_usd: Decimal,
    price_limit: Decimal,
    valid_for: timedelta,
    actor: str,
    now: datetime,
    demands: Mapping[int, Decimal] | None = None,
    slices: Sequence[SliceToClose] = (),
    cycle: Cycle | None = None,
    target: CycleTarget | None = None,
    policy_id: int | None = None,
) -> Intent | None:
    """Write one decision; None when its lane already has a live one, or another process was first.

    `demands`: payout wanted per product id, USD, the weights of a purchase's attribution. `slices`: what a sale closes.
    The key is the lane and the number of decisions made on it before, so that two processes that decide at once make
    the same key, and one of them loses.
    """
    made = Intent.objects.filter(venue_id=instrument.venue_id, instrument=instrument, leg=LEG).count()
    try:
        with transaction.atomic():
            intent = Intent.objects.create(
                decision_key=f"{instrument.venue_id}:{instrument.instrument_id}:{LEG}:{made}",
                cycle=cycle,
                target=target,
                policy_id=policy_id,
                venue_id=instrument.venue_id,
                instrument=instrument,
                leg=LEG,
                purpose=Intent.Purpose.OPEN if side == Side.BUY else Intent.Purpose.CLOSE,
                side=side.value,
                size=size,
                notional_usd=notional_usd,
                price_limit=price_limit,
                next_attempt_at=now,
                valid_until=now + valid_for,
                created_at=now,
                requested_by=actor,
            )
    except IntegrityError as error:
        log.info("lane taken", instrument=instrument.pk, error=str(error).splitlines()[0])
        return None
    _attach(intent, demands=demands or {}, slices=slices)
    return intent


def _attach(intent: Intent, *, demands: Mapping[int, Decimal], slices: Sequence[SliceToClose]) -> None:
    """Write for whom an intent buys, or what it closes."""
    IntentDemand.objects.bulk_create(
        [IntentDemand(intent=intent, product_id=key, weight_usd=usd) for key, usd in demands.items()]
    )
    IntentSlice.objects.bulk_create(
        [
            IntentSlice(
                intent=intent,
                hedge_position_id=part.hedge_position_id,
                size=part.size,
                closed_before=part.closed_before,
            )
            for part in slices
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
