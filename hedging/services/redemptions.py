"""Turns held shares of resolved markets into their payout, and adopts what others have redeemed.

A redemption is an intent and an order like any other (docs/adr/0013-redemption-is-an-order.md): decided here, signed by
`preparation.py`, sent once and looked up by the executor and the resolver. It is opened only when nothing else of the
instrument is under way and the chain holds what our book holds.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction

from hedging.domain.orders import DUST
from hedging.domain.plans import MAIN
from hedging.models import Discrepancy, Fill, Intent, Order, Position
from hedging.models.fills import PROVISIONAL
from hedging.models.orders import LIVE_STATES
from hedging.selectors.waiting import waiting_of
from hedging.services.attributions import attributions_make
from hedging.services.discrepancies import discrepancies_heal, discrepancy_open
from hedging.services.resolver import order_check
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.apart import apart
from venues.domain.gateway import LookupFailed, Side, TimeInForce
from venues.domain.redemptions import ForeignRedemption
from venues.registry import wallet_for
from venues.selectors.instruments import payout_of, terms_of
from venues.services.venues import venue_heard

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

VALID_FOR = timedelta(hours=24)
"""A payout does not run away; what is not sent by then is decided anew."""

BACKOFF = timedelta(minutes=10)
"""Between two decisions on one instrument, when the first brought nothing."""

INSTRUMENTS_MAX = 200
MISMATCH = "REDEMPTION_SIZE"
ACTOR = "resolution watch"
_FOREIGN_SINCE = timedelta(days=30)


def redemptions_open(venue_code: str, *, now: datetime) -> int:
    """Decide the redemption of everything that can be redeemed, after adopting what others have; return how many.

    Safe to call at any time, from any number of processes.
    """
    opened = 0
    rows = Position.objects.filter(
        venue_id=venue_code, size__gt=0, instrument__resolution__state="resolved"
    ).select_related("instrument")
    for position in rows.order_by("pk")[:INSTRUMENTS_MAX]:
        with apart("a redemption could not be decided", instrument=str(position.instrument)):
            opened += _decide(position.instrument, now=now)
    return opened


def _decide(instrument: Instrument, *, now: datetime) -> int:
    if _is_busy(instrument) or _is_resting(instrument, now=now):
        return 0
    attributions_make(instrument.venue_id, now=now, every_s=0, instrument_rows=[instrument.pk])
    if waiting_of([instrument.pk]):
        return 0
    try:
        held = wallet_for(instrument.venue_id).fetch_units(instrument.instrument_id)
        if held + DUST < _booked(instrument):
            redemptions_adopt(instrument, now=now)
    except LookupFailed as error:
        venue_heard(instrument.venue_id, now=now, error=str(error))
        return 0
    booked = _booked(instrument)
    if abs(booked - held) > DUST:
        discrepancy_open(
            venue_code=instrument.venue_id,
            kind=MISMATCH,
            subject=_subject(instrument),
            expected=f"{booked.normalize():f} units in our book",
            actual=f"{held.normalize():f} units in the wallet; nothing is redeemed until this is explained",
            now=now,
        )
        return 0
    _heal(instrument, now=now)
    if booked <= 0 or held <= 0:
        return 0
    return int(redemption_open(instrument, size=booked, actor=ACTOR, now=now) is not None)


def redemption_open(instrument: Instrument, *, size: Decimal, actor: str, now: datetime) -> Intent | None:
    """Write one decision to redeem; None when the lane is taken or another process was first."""
    payout = payout_of(instrument)
    made = Intent.objects.filter(instrument=instrument, purpose=Intent.Purpose.REDEEM).count()
    try:
        with transaction.atomic():
            return Intent.objects.create(
                decision_key=f"{instrument.venue_id}:{instrument.instrument_id}:redeem:{made}",
                venue_id=instrument.venue_id,
                instrument=instrument,
                leg=MAIN,
                purpose=Intent.Purpose.REDEEM,
                side=Side.SELL.value,
                time_in_force=TimeInForce.TX.value,
                size=size,
                notional_usd=(size * payout).quantize(Decimal("1e-6"), rounding=ROUND_DOWN),
                price_limit=payout,
                next_attempt_at=now,
                valid_until=now + VALID_FOR,
                created_at=now,
                requested_by=actor[:150],
            )
    except IntegrityError as error:
        log.info("lane taken", instrument=instrument.pk, error=str(error).splitlines()[0])
        return None


def redemptions_adopt(instrument: Instrument, *, now: datetime) -> int:
    """Take into the book what others have redeemed out of our wallet; return how many transactions.

    Raises LookupFailed without an answer; nothing is changed then.
    """
    payout = payout_of(instrument)
    found: Sequence[ForeignRedemption] = wallet_for(instrument.venue_id).fetch_foreign_redemptions(
        terms_of(instrument), payout=payout, size=_booked(instrument), since=now - _FOREIGN_SINCE
    )
    known = set(
        Fill.objects.filter(
            instrument=instrument, venue_trade_id__in=[item.fill.venue_trade_id for item in found]
        ).values_list("venue_trade_id", flat=True)
    )
    adopted = 0
    for item in sorted(found, key=lambda one: one.at):
        if item.fill.venue_trade_id in known or _booked(instrument) <= 0:
            continue
        order_id = _adopt(instrument, item, now=now)
        if order_id is not None:
            order_check(order_id, now=utc_now())
            adopted += 1
    return adopted


def _adopt(instrument: Instrument, item: ForeignRedemption, *, now: datetime) -> uuid.UUID | None:
    """An intent and an order for what somebody else sent; the resolver books it by its receipt, as any other."""
    size = min(item.fill.size, _booked(instrument))
    with transaction.atomic(durable=True):
        intent = redemption_open(instrument, size=size, actor=f"external: {item.origin}", now=now)
        if intent is None:
            return None
        order = Order.objects.create(
            intent=intent,
            generation=0,
            venue_id=instrument.venue_id,
            instrument=instrument,
            client_order_id=item.name,
            payload=item.payload,
            payload_sha=hashlib.sha256(item.payload).digest(),
            side=Side.SELL.value,
            time_in_force=TimeInForce.TX.value,
            size=size,
            notional_usd=intent.notional_usd,
            price_limit=intent.price_limit,
            spends_budget=False,
            is_reducing=True,
            resend_allowed=True,
            next_check_at=now,
        )
        Order.objects.filter(pk=order.pk).update(
            state="ACKED", acked_at=now, reason=f"redeemed by {item.origin}, not by us"[:300]
        )
    log.warning(
        "redemption adopted",
        instrument=str(instrument),
        transaction=item.transaction_hash,
        origin=item.origin,
    )
    return order.pk


def _is_busy(instrument: Instrument) -> bool:
    """Whether anything of the instrument may still change what we hold."""
    return (
        Intent.objects.filter(instrument=instrument, state__in=["OPEN", "PARKED"]).exists()
        or Order.objects.filter(instrument=instrument, state__in=LIVE_STATES).exists()
        or Fill.objects.filter(instrument=instrument, settlement__in=PROVISIONAL).exists()
    )


def _is_resting(instrument: Instrument, *, now: datetime) -> bool:
    """Whether a redemption of it ended a short while ago and left something."""
    return Intent.objects.filter(
        instrument=instrument,
        purpose=Intent.Purpose.REDEEM,
        finished_at__gt=now - BACKOFF,
        state=Intent.State.ABANDONED,
    ).exists()


def _booked(instrument: Instrument) -> Decimal:
    return Position.objects.values_list("size", flat=True).get(pk=instrument.pk)


def _subject(instrument: Instrument) -> str:
    return f"{instrument.slug or instrument.condition_id} {instrument.outcome}"[:120]


def _heal(instrument: Instrument, *, now: datetime) -> None:
    others = Discrepancy.objects.filter(
        venue_id=instrument.venue_id, kind=MISMATCH, state=Discrepancy.State.OPEN
    ).exclude(subject=_subject(instrument))
    discrepancies_heal(
        venue_code=instrument.venue_id,
        still_open={(MISMATCH, row.subject) for row in others},
        kinds={MISMATCH},
        now=now,
    )
