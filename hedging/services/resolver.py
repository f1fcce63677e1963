"""Finds out what became of an order: look-ups, the same bytes again, proof of absence, or a person.

The only writer of orders in doubt. A failed look-up proves nothing; everything that the venue proves is booked first,
and the judgement (`hedging/domain/lookups.py`) is pure.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from hedging.domain.absence import BINANCE_FUTURES, POLYMARKET, AbsenceEvidence, AbsencePolicy
from hedging.domain.lookups import Move, judge_lookup
from hedging.domain.orders import TERMINAL, OrderFacts, OrderStatus
from hedging.models import Intent, Order, OrderAttempt
from hedging.services.executor import sending_refusal
from hedging.services.fills import fills_ingest
from hedging.services.sends import ANSWER_WITHIN, SEND_DEADLINE_S, orders_commit_to_send, orders_transmit
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.plumbing.apart import apart
from venues.domain.budgets import BudgetKind
from venues.domain.gateway import Absent, Gateway, LookupFailed, OrderReport, TimeInForce
from venues.registry import gateway_for, wallet_for
from venues.selectors.instruments import terms_of
from venues.services.budgets import budget_take
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)
BACKOFF_S = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_MARGIN = timedelta(seconds=60)
_SENDER_LIFE = timedelta(seconds=600)

POLICIES: dict[str, AbsencePolicy] = {"polymarket": POLYMARKET, "binance_futures": BINANCE_FUTURES}


@dataclass(frozen=True, slots=True)
class Checked:
    """What one look-up came to. `intent_id` is set when the intent's next step is due."""

    word: str
    sentence: str
    intent_id: uuid.UUID | None = None


def orders_check_due(venue_code: str, *, now: datetime, limit: int) -> list[Checked]:
    """Look up every order of a venue that is due, leasing each so that no other process does the same.

    An order whose look-up breaks is reported loudly and comes up again when its lease ends.
    """
    checked = []
    for order_id in _claim(venue_code, now=now, limit=limit):
        with apart("a look-up failed on our side", order=str(order_id)):
            checked.append(order_check(order_id, now=utc_now()))
    return checked


def _claim(venue_code: str, *, now: datetime, limit: int) -> Sequence[uuid.UUID]:
    watched = ["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL"]
    with transaction.atomic():
        due = list(
            Order.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(venue_id=venue_code, state__in=watched, next_check_at__lte=now)
            .order_by("next_check_at")
            .values_list("pk", flat=True)[:limit]
        )
        Order.objects.filter(pk__in=due).update(next_check_at=now + LEASE)
    return due


def order_check(order_id: uuid.UUID, *, now: datetime) -> Checked:
    """Take one order as far as the venue's answers allow. Safe to repeat, from any process."""
    order = Order.objects.select_related("intent", "intent__venue", "instrument").get(pk=order_id)
    if order.state in TERMINAL:
        return Checked("finished", f"the order is {order.state}", order.intent_id)
    if order.state == "PREPARED":
        return _check_prepared(order, now=now)
    if order.state == "SENDING" and order.sent_at and now - order.sent_at < ANSWER_WITHIN:
        return Checked("sending", "its sender still has time")
    gateway = gateway_for(order.venue_id)
    found = _look_up(order, gateway, now=now)
    move = _record(order, found, gateway, now=now)
    if move.resend:
        return _resend(order, gateway, now=utc_now())
    if move.status in TERMINAL:
        _intent_due(order.intent_id, now=now)
        return Checked(move.status.lower(), move.reason, order.intent_id)
    return Checked(move.status.lower(), move.reason)


def _check_prepared(order: Order, *, now: datetime) -> Checked:
    """Nobody has sent it: the executor may, while the decision is fresh; a stale one dies here."""
    if now <= order.intent.valid_until:
        _intent_due(order.intent_id, now=now)
        Order.objects.filter(pk=order.pk, state="PREPARED").update(next_check_at=now + ANSWER_WITHIN)
        return Checked("prepared", "waits for its sender", order.intent_id)
    with transaction.atomic(durable=True):
        Order.objects.filter(pk=order.pk, state="PREPARED").update(
            state="ABORTED", reason="the decision was too old to send"
        )
    _intent_due(order.intent_id, now=now)
    return Checked("aborted", "the decision was too old to send", order.intent_id)


def _look_up(order: Order, gateway: Gateway, *, now: datetime) -> OrderReport | Absent | None:
    """Ask for the order, then book its trades; None when the venue gave no authoritative answer.

    In this order: trades read after the report cannot be fewer than those that the report counts.
    """
    try:
        if order.time_in_force == TimeInForce.TX:
            return _look_up_redemption(order, now=now)
        found = gateway.fetch_order(order.client_order_id)
        reports = gateway.fetch_fills_of_order(
            order.client_order_id,
            since=order.created_at - _MARGIN,
            instrument_id=order.instrument.instrument_id,
        )
    except LookupFailed as error:
        venue_heard(order.venue_id, error=str(error), now=now)
        return None
    fills_ingest(order.pk, reports, now=now)
    venue_heard(order.venue_id, now=now)
    return found


def _look_up_redemption(order: Order, *, now: datetime) -> OrderReport | Absent:
    """Ask the chain for a transaction, then book what it paid once nothing can undo it."""
    found = wallet_for(order.venue_id).look_up_redemption(
        bytes(order.payload),
        name=order.client_order_id,
        terms=terms_of(order.instrument),
        size=order.size,
        payout=order.price_limit,
        relay_id=order.venue_order_id,
    )
    fills_ingest(order.pk, found.fills, now=now)
    venue_heard(order.venue_id, now=now)
    return found.report


def _evidence(order: Order, gateway: Gateway, *, now: datetime) -> AbsenceEvidence:
    """What else speaks for or against absence; the contract is asked only where the answer can matter."""
    attempts = list(OrderAttempt.objects.filter(order=order))
    policy = POLICIES[order.venue_id]
    quarantine = timedelta(seconds=policy.quarantine_s)
    quarantined = order.sent_at is not None and now - order.sent_at >= quarantine
    return AbsenceEvidence(
        senders_finished=all(
            attempt.finished_at is not None or now - attempt.started_at > _SENDER_LIFE for attempt in attempts
        ),
        venue_knows=any(attempt.outcome == "AlreadyKnown" for attempt in attempts),
        untouched=gateway.is_untouched(order.client_order_id)
        if policy.needs_untouched and quarantined and order.time_in_force != TimeInForce.TX
        else None,
        venue_now=gateway.fetch_time() if policy.needs_fence else None,
    )


def _record(order: Order, found: OrderReport | Absent | None, gateway: Gateway, *, now: datetime) -> Move:
    """Judge and write, under the order's lock; whoever changed the order meanwhile is not overwritten."""
    evidence = AbsenceEvidence(senders_finished=False)
    if isinstance(found, Absent):
        evidence = _evidence(order, gateway, now=now)
        if order.time_in_force == TimeInForce.TX:
            # A pool forgets what it knew; the chain, which has used up the number, does not.
            evidence = replace(evidence, venue_knows=False, untouched=found.is_excluded)
    with transaction.atomic(durable=True):
        row = Order.objects.select_for_update(of=("self",)).select_related("intent").get(pk=order.pk)
        if row.attempts != order.attempts or row.state in TERMINAL:
            return Move(status=OrderStatus(row.state), reason="it moved on meanwhile")
        move = judge_lookup(
            OrderFacts.of(row),
            found,
            now=now,
            policy=POLICIES[row.venue_id],
            evidence=evidence,
            decision_is_valid=row.intent.state == Intent.State.OPEN
            and now <= row.intent.valid_until
            # Bytes that can never take effect any more are not worth sending again.
            and not (isinstance(found, Absent) and found.is_excluded),
        )
        if row.state == "SENDING":
            # First the send is given up, so that its sender's late answer finds nothing to change; then judged.
            move = replace(move, status=OrderStatus.UNKNOWN, resend=False)
        row.state = move.status.value
        row.reason = move.reason[:300]
        row.reported_size = move.reported_size if move.reported_size is not None else row.reported_size
        if move.absent_proofs is not None:
            row.absent_proofs = move.absent_proofs
            row.last_absent_at = now
        if move.status in ("ACKED", "PARTIAL") and row.acked_at is None:
            row.acked_at = now
        row.checks += 1
        row.next_check_at = now + timedelta(seconds=BACKOFF_S[min(row.checks, len(BACKOFF_S)) - 1])
        row.save()
    if move.alarm:
        log.error("order needs eyes", order=order.client_order_id, state=move.status, reason=move.reason)
    return move


def _resend(order: Order, gateway: Gateway, *, now: datetime) -> Checked:
    """Send the identical bytes again: the venue deduplicates them, so this asks rather than orders."""
    refusal = sending_refusal(order.intent)
    if refusal:
        return Checked("denied", refusal)
    wait_s = budget_take(order.venue_id, BudgetKind.ORDER)
    if wait_s > 0:
        return Checked("postponed", f"{order.venue_id} grants the next request in {wait_s:.1f} s")
    deadline_s = monotonic_s() + SEND_DEADLINE_S
    committed = orders_commit_to_send([order.pk], venue_code=order.venue_id, from_state="UNKNOWN", now=now)
    for error in committed.refused.values():
        return Checked("gated", str(error).splitlines()[0])
    for heard in orders_transmit(committed.sent, gateway=gateway, deadline_s=deadline_s):
        return Checked(heard.state.lower(), heard.reason)
    return Checked("raced", "another process moved it")


def _intent_due(intent_id: uuid.UUID, *, now: datetime) -> None:
    """Let the intent's next step happen now."""
    Intent.objects.filter(pk=intent_id, state=Intent.State.OPEN).update(next_attempt_at=now)
