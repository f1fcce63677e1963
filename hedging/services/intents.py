"""The life of a decision: claimed when due, advanced when its order is dead, finished with a sentence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction
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


def intents_claim_due(*, venue_codes: Sequence[str], now: datetime, limit: int) -> list[uuid.UUID]:
    """Lease up to `limit` open intents that are due, skipping those that another process holds."""
    with transaction.atomic():
        rows = list(
            Intent.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=Intent.State.OPEN, next_attempt_at__lte=now, venue_id__in=venue_codes)
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:limit]
        )
        Intent.objects.filter(pk__in=rows).update(next_attempt_at=now + LEASE)
    return rows


def intent_count_dispatch(intent_id: uuid.UUID, *, now: datetime) -> bool:
    """Count a try *before* the work, so that work which kills its process is counted too. False: parked as poison."""
    with transaction.atomic(durable=True):
        intent = Intent.objects.select_for_update().get(pk=intent_id)
        if intent.state != Intent.State.OPEN:
            return False
        if intent.dispatch_count >= DISPATCHES_MAX:
            intent.state = Intent.State.PARKED
            intent.outcome = f"parked after {intent.dispatch_count} tries without an end; look at its orders"
            intent.save(update_fields=["state", "outcome"])
            log.error("intent parked", intent=str(intent_id))
            return False
        Intent.objects.filter(pk=intent_id).update(dispatch_count=F("dispatch_count") + 1)
    return True


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


def intent_postpone(intent_id: uuid.UUID, *, until: datetime, why: str) -> None:
    """Leave an open intent alone until `until`; `why` is shown beside it."""
    Intent.objects.filter(pk=intent_id, state=Intent.State.OPEN).update(
        next_attempt_at=until, outcome=why[:300]
    )
