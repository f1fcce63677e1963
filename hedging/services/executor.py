"""Turns an open intent into orders on a venue, one at a time: a death at any line costs seconds and never money.

prepare (identity and bytes, committed) -> commit to send (compare-and-set, attempt row, committed) -> one POST with no
transaction and no lock -> hear (guarded by the attempt number). `docs/adr/0005-order-protocol.md` gives the rules.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Sum

from hedging.domain.orders import TERMINAL, judge_outcome
from hedging.domain.slices import Remaining, next_slice
from hedging.models import Fill, Intent, Order, OrderAttempt
from hedging.models.orders import LIVE_STATES
from hedging.services.config import config_read
from hedging.services.intents import intent_count_dispatch, intent_finish, intent_postpone
from hedging.services.refusals import refusal_follow
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.processes import process_name
from venues.domain.gateway import (
    Gateway,
    LookupFailed,
    OrderRequest,
    Outcome,
    Prepared,
    Rejected,
    Side,
    TimeInForce,
    Unknown,
)
from venues.registry import gateway_for
from venues.selectors.instruments import terms_of
from venues.services.books import book_fetch
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

SEND_DEADLINE_S = 5.0
"""From the commit to send until the first byte: a process that was paused longer must not send any more."""

GENERATIONS_MAX = 25
GATE_CLOSED, LIMIT_REACHED, INTENT_NOT_OPEN = "HB001", "HB002", "HB011"


@dataclass(frozen=True, slots=True)
class Placed:
    """What one call did. `order_id` is set when an order may be on the wire and wants a look-up."""

    word: str
    sentence: str
    order_id: uuid.UUID | None = None


def intent_place(intent_id: uuid.UUID, *, now: datetime) -> Placed:
    """Take the intent one step further: send its prepared order, or prepare and send its next one, or finish it.

    Safe to call at any time, any number of times, from any number of processes.
    """
    intent = Intent.objects.select_related("instrument", "venue").get(pk=intent_id)
    if intent.state != Intent.State.OPEN:
        return Placed("finished", f"the intent is {intent.state}")
    live = intent.orders.filter(state__in=LIVE_STATES).first()
    if live is not None and live.state != "PREPARED":
        return Placed("in_doubt", f"order {live.client_order_id[:12]} is {live.state}", live.pk)
    refusal = sending_refusal(intent)
    if refusal:
        intent_postpone(intent.pk, until=now + timedelta(seconds=15), why=refusal)
        return Placed("denied", refusal)
    if now > intent.valid_until:
        return _expire(intent, live, now=now)
    if not intent_count_dispatch(intent.pk, now=now):
        return Placed("parked", "too many tries without an end")
    gateway = gateway_for(intent.venue_id)
    try:
        order = live or _prepare(intent, gateway, now=now)
    except LookupFailed as error:
        venue_heard(intent.venue_id, error=str(error), now=now)
        intent_postpone(intent.pk, until=now + timedelta(seconds=5), why=f"no book from the venue: {error}")
        return Placed("unreachable", str(error))
    except Refused as error:
        intent_finish(intent.pk, state=Intent.State.ABANDONED, outcome=f"refused: {error}", now=now)
        return Placed("refused", str(error))
    if order is None:
        intent.refresh_from_db(fields=["state", "outcome"])
        if intent.state == Intent.State.OPEN:
            return Placed("raced", "another process is at work on it")
        return Placed("finished", intent.outcome)
    return _send(order, gateway, now=now)


def sending_refusal(intent: Intent) -> str:
    """Why nothing of this intent may be sent now ("" when it may). Closing orders pass where opening ones do not."""
    if settings.TRADING_ENVIRONMENT == "PAPER":
        return "environment is PAPER: nothing is sent anywhere; set TRADING_ENVIRONMENT=PRACTICE or LIVE"
    if settings.TRADING_ENVIRONMENT == "LIVE" and not settings.LIVE_TRADING_ALLOWED:
        return "live trading needs LIVE_TRADING_ALLOWED=true besides TRADING_ENVIRONMENT=LIVE"
    if not config_read().enabled:
        return "trading is off: set `enabled` in Configuration"
    if not intent.venue.is_enabled and intent.purpose == Intent.Purpose.OPEN:
        return f"venue {intent.venue_id} is disabled"
    return ""


def _expire(intent: Intent, live: Order | None, *, now: datetime) -> Placed:
    """A stale decision dies: its world is gone. A prepared order of it was never sent, so it may be dropped."""
    if live is not None:
        with transaction.atomic(durable=True):
            Order.objects.filter(pk=live.pk, state="PREPARED").update(
                state="ABORTED", reason="the decision was too old to send"
            )
    intent_finish(
        intent.pk,
        state=Intent.State.ABANDONED,
        outcome="too old to send; the next cycle decides anew",
        now=now,
    )
    return Placed("expired", "the decision was too old to send")


def _prepare(intent: Intent, gateway: Gateway, *, now: datetime) -> Order | None:
    """Fix the next order's identity and bytes and commit them; None when the intent has ended."""
    past = list(intent.orders.order_by("generation"))
    if any(order.state not in TERMINAL for order in past):
        return None
    if len(past) >= GENERATIONS_MAX:
        intent_finish(
            intent.pk, state=Intent.State.DONE, outcome=f"stopped after {len(past)} orders", now=now
        )
        return None
    spent, delivered = _done_so_far(intent)
    snapshot = book_fetch(intent.instrument, gateway=gateway, now=now)
    terms = terms_of(intent.instrument)
    limits = config_read()
    cut = next_slice(
        Remaining(
            side=Side(intent.side),
            notional_usd=intent.notional_usd - (spent if intent.side == "BUY" else 0),
            size=intent.size - delivered,
            price_limit=intent.price_limit,
        ),
        snapshot.book,
        terms,
        notional_usd_max=limits.notional_usd_max_per_order,
        participation=limits.depth_participation,
    )
    if cut.size <= 0:
        done = Intent.State.DONE if past else Intent.State.ABANDONED
        intent_finish(intent.pk, state=done, outcome=cut.sentence, now=now)
        return None
    request = OrderRequest(
        terms=terms,
        side=Side(intent.side),
        time_in_force=TimeInForce(intent.time_in_force),
        size=cut.size,
        notional_usd=cut.notional_usd,
        price_limit=cut.price_limit,
        decision_key=intent.decision_key,
        generation=len(past),
        created_at=intent.created_at,
    )
    prepared = gateway.prepare(request)
    return _commit_prepared(intent, gateway, request, prepared, fee_usd_max=cut.fee_usd_max, now=now)


def _done_so_far(intent: Intent) -> tuple[Decimal, Decimal]:
    """USD spent and units delivered by this intent's orders, failed settlements included: they used up the decision."""
    sums = Fill.objects.filter(order__intent=intent).aggregate(usd=Sum("notional_usd"), size=Sum("size"))
    return sums["usd"] or Decimal(0), sums["size"] or Decimal(0)


def _commit_prepared(
    intent: Intent,
    gateway: Gateway,
    request: OrderRequest,
    prepared: Prepared,
    *,
    fee_usd_max: Decimal,
    now: datetime,
) -> Order | None:
    with transaction.atomic(durable=True):
        # The row lock of the intent is the lane's lock: two workers cannot both make generation n.
        locked = Intent.objects.select_for_update().get(pk=intent.pk)
        if (
            locked.state != Intent.State.OPEN
            or locked.orders.filter(generation__gte=request.generation).exists()
        ):
            return locked.orders.filter(state="PREPARED").first()
        return Order.objects.create(
            intent=locked,
            generation=request.generation,
            venue_id=intent.venue_id,
            instrument_id=intent.instrument_id,
            client_order_id=prepared.client_order_id,
            salt=prepared.salt,
            payload=prepared.payload,
            payload_sha=hashlib.sha256(prepared.payload).digest(),
            side=request.side.value,
            time_in_force=request.time_in_force.value,
            size=prepared.size,
            notional_usd=prepared.notional_usd,
            price_limit=prepared.price_limit,
            fee_usd_max=fee_usd_max,
            spends_budget=request.side == Side.BUY and gateway.buy_spends_budget,
            is_reducing=intent.purpose == Intent.Purpose.CLOSE,
            resend_allowed=gateway.can_resend,
            fence_at=prepared.fence_at,
            next_check_at=now + timedelta(seconds=20),
        )


def _send(order: Order, gateway: Gateway, *, now: datetime) -> Placed:
    """The point of no return is a commit: compare-and-set to SENDING with its attempt row, then the wire, once."""
    deadline_s = monotonic_s() + SEND_DEADLINE_S
    try:
        attempt_no = order_commit_to_send(order.pk, from_state="PREPARED", now=now)
    except DatabaseError as error:
        return _gate_refused(order, error, now=now)
    if attempt_no is None:
        return Placed("raced", "another process owns the send", order.pk)
    return order_transmit(order.pk, attempt_no=attempt_no, gateway=gateway, deadline_s=deadline_s)


def order_commit_to_send(order_id: uuid.UUID, *, from_state: str, now: datetime) -> int | None:
    """Move an order to SENDING and write its attempt, in one durable commit; None when another process was first.

    Raises DatabaseError with SQLSTATE HB001 (a breaker is open) or HB002 (a limit is reached).
    """
    with transaction.atomic(durable=True):
        moved = Order.objects.filter(pk=order_id, state=from_state).update(
            state="SENDING",
            attempts=F("attempts") + 1,
            sent_at=now,
            next_check_at=now + timedelta(seconds=25),
            reason="",
        )
        if moved != 1:
            return None
        order = Order.objects.only("attempts", "payload_sha").get(pk=order_id)
        OrderAttempt.objects.create(
            order_id=order_id,
            attempt_no=order.attempts,
            payload_sha=bytes(order.payload_sha),
            worker=process_name(),
            started_at=now,
        )
        return order.attempts


def order_transmit(order_id: uuid.UUID, *, attempt_no: int, gateway: Gateway, deadline_s: float) -> Placed:
    """Send the stored bytes exactly as stored and record the answer. Call only right after `order_commit_to_send`.

    `deadline_s`, on this process's monotonic clock, is taken before that commit: whoever slept since must not send.
    """
    payload = bytes(Order.objects.only("payload").get(pk=order_id).payload)
    if monotonic_s() > deadline_s:
        outcome: Outcome = Unknown(
            reason="paused_before_wire", message="too late to send", reached_wire=False
        )
    else:
        outcome = gateway.submit(payload)
    return order_hear(order_id, attempt_no=attempt_no, outcome=outcome, now=utc_now())


def order_hear(order_id: uuid.UUID, *, attempt_no: int, outcome: Outcome, now: datetime) -> Placed:
    """Record an answer to attempt `attempt_no`; one that comes late changes only its own attempt row."""
    verdict = judge_outcome(outcome, attempt_no=attempt_no)
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update().get(pk=order_id)
        OrderAttempt.objects.filter(order=order, attempt_no=attempt_no, finished_at__isnull=True).update(
            finished_at=now,
            outcome=type(outcome).__name__,
            code=getattr(outcome, "code", "")
            or getattr(outcome, "reason", "")
            or getattr(outcome, "status", ""),
            http_status=getattr(outcome, "http_status", None),
            detail=getattr(outcome, "message", "")[:2000],
        )
        if order.state == "SENDING" and order.attempts == attempt_no:
            order.state = verdict.status.value
            order.reason = verdict.reason[:300]
            order.next_check_at = now
            order.checks = 0
            if verdict.status == "ACKED":
                order.acked_at = now
                order.venue_order_id = getattr(outcome, "venue_order_id", "")
                order.reported_size = getattr(outcome, "size_matched", None)
            order.save()
    venue_heard(order.venue_id, error="" if not isinstance(outcome, Unknown) else verdict.reason, now=now)
    if isinstance(outcome, Rejected):
        refusal_follow(order, outcome, now=now)
    log.info(
        "order answered",
        order=order.client_order_id,
        attempt=attempt_no,
        state=order.state,
        reason=verdict.reason,
    )
    return Placed(order.state.lower(), verdict.reason, order.pk)


def _gate_refused(order: Order, error: DatabaseError, *, now: datetime) -> Placed:
    """The database's gate said no: a breaker (or a person who parked the intent meanwhile) rests it, a limit ends it.

    Anything else is a fault of ours and is raised.
    """
    state = getattr(error.__cause__, "sqlstate", "") or ""
    sentence = str(error).splitlines()[0]
    if state in (GATE_CLOSED, INTENT_NOT_OPEN):
        intent_postpone(order.intent_id, until=now + timedelta(seconds=15), why=sentence)
        return Placed("gated", sentence)
    if state != LIMIT_REACHED:
        raise error
    with transaction.atomic(durable=True):
        Order.objects.filter(pk=order.pk, state="PREPARED").update(state="ABORTED", reason=sentence[:300])
    intent_finish(order.intent_id, state=Intent.State.ABANDONED, outcome=sentence, now=now)
    return Placed("limited", sentence)
