"""The point of no return, for one order or a batch: commit to send, the wire once, and what was heard.

Nothing is open while bytes travel: the commit before says what may be on the wire, the commit after what came back.
Each order of a batch is judged alone, by the gate and by the venue; none takes another down.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction

from hedging.domain.orders import Verdict, judge_outcome
from hedging.models import Order
from hedging.services.refusals import refusals_follow
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.processes import process_name
from tonsurance.plumbing.apart import together
from venues.domain.budgets import BudgetKind
from venues.domain.gateway import Accepted, Gateway, Outcome, Rejected, Unknown
from venues.services.budgets import budget_note
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

SEND_DEADLINE_S = 5.0
"""From the commit to send until the first byte: a process that was paused longer must not send any more."""

ANSWER_WITHIN = timedelta(seconds=25)
"""Longer than the venue's read time-out; then the resolver looks."""

# The switches first, for the whole batch: who sends holds them, so that no two senders wait for each other's orders.
_LOCK_SWITCHES = "SELECT 1 FROM hedging_breaker WHERE scope IN ('global', %s) ORDER BY scope FOR UPDATE"
_MOVE = """
    UPDATE hedging_order SET state = 'SENDING', attempts = attempts + 1, sent_at = %s, next_check_at = %s, reason = ''
    WHERE id = ANY(%s) AND state = %s
    RETURNING id, intent_id, attempts, payload"""
_ATTEMPTS = """
    INSERT INTO hedging_orderattempt (order_id, attempt_no, payload_sha, worker, started_at, outcome, code, detail)
    SELECT id, attempts, payload_sha, %s, %s, '', '', '' FROM hedging_order WHERE id = ANY(%s)"""

_ANSWERED = """
    UPDATE hedging_orderattempt a
    SET finished_at = %s, outcome = h.outcome, code = h.code, http_status = h.http_status, detail = h.detail
    FROM unnest(%s::uuid[], %s::integer[], %s::text[], %s::text[], %s::integer[], %s::text[])
      AS h(order_id, attempt_no, outcome, code, http_status, detail)
    WHERE a.order_id = h.order_id AND a.attempt_no = h.attempt_no AND a.finished_at IS NULL"""
# An answer that comes late finds the order elsewhere, and changes only its own attempt above.
_HEARD = """
    UPDATE hedging_order o
    SET state = h.state, reason = h.reason, next_check_at = %(now)s, checks = 0,
        acked_at = CASE WHEN h.state = 'ACKED' THEN %(now)s ELSE o.acked_at END,
        venue_order_id = CASE WHEN h.state = 'ACKED' THEN h.venue_order_id ELSE o.venue_order_id END,
        reported_size = CASE WHEN h.state = 'ACKED' THEN h.reported ELSE o.reported_size END
    FROM unnest(%(ids)s::uuid[], %(attempts)s::integer[], %(states)s::text[], %(reasons)s::text[], %(names)s::text[],
                %(reported)s::numeric[]) AS h(order_id, attempt_no, state, reason, venue_order_id, reported)
    WHERE o.id = h.order_id AND o.state = 'SENDING' AND o.attempts = h.attempt_no
    RETURNING o.id, o.state"""


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that is committed to send: its bytes may be on the wire from now on."""

    order_id: uuid.UUID
    intent_id: uuid.UUID
    attempt_no: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """What may be sent now, and what the database's gate refused, by order id. Neither: another process was first."""

    sent: list[Sent]
    refused: dict[uuid.UUID, DatabaseError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """Where an order stands after an answer. `reason` is a sentence for people."""

    order_id: uuid.UUID
    intent_id: uuid.UUID
    state: str
    reason: str


def budget_of(orders: int) -> BudgetKind:
    """Which of the venue's budgets a request of so many orders takes from."""
    return BudgetKind.ORDER if orders == 1 else BudgetKind.BATCH


def orders_commit_to_send(
    order_ids: Sequence[uuid.UUID], *, venue_code: str, from_state: str, now: datetime
) -> Committed:
    """Move orders of one venue to SENDING and write their attempts, in one durable commit.

    The gate's refusals carry SQLSTATE HB001 (a breaker is open), HB002 (a limit is reached) or HB011 (the intent is not
    open any more).
    """

    def move(ids: Sequence[uuid.UUID]) -> list[Sent]:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [now, now + ANSWER_WITHIN, list(ids), from_state])
            moved = [Sent(row[0], row[1], row[2], bytes(row[3])) for row in cursor.fetchall()]
            cursor.execute(_ATTEMPTS, [process_name(), now, [sent.order_id for sent in moved]])
        return moved

    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_SWITCHES, [f"venue:{venue_code}"])
        sent, refused = together(order_ids, move)
    return Committed(sent, refused)


def orders_transmit(sent: Sequence[Sent], *, gateway: Gateway, deadline_s: float) -> list[Heard]:
    """Send the stored bytes exactly as stored, in one request, and record the answers.

    Call only right after `orders_commit_to_send`, with at most the gateway's `batch_max`. `deadline_s`, on this
    process's monotonic clock, is taken before that commit: whoever slept since must not send.
    """
    if not sent:
        return []
    if monotonic_s() > deadline_s:
        late = Unknown(reason="paused_before_wire", message="too late to send", reached_wire=False)
        outcomes: list[Outcome] = [late] * len(sent)
    elif len(sent) == 1:
        outcomes = [gateway.submit(sent[0].payload)]
    else:
        outcomes = gateway.submit_batch([item.payload for item in sent])
    budget_note(gateway.venue_code, gateway, now=utc_now())
    return orders_hear(list(zip(sent, outcomes, strict=True)), venue_code=gateway.venue_code, now=utc_now())


def orders_hear(answers: Sequence[tuple[Sent, Outcome]], *, venue_code: str, now: datetime) -> list[Heard]:
    """Record the answers to attempts in one commit; one that comes late changes only its own attempt row."""
    by_order = {sent.order_id: (sent, outcome) for sent, outcome in answers}
    verdicts = {
        order_id: judge_outcome(outcome, attempt_no=sent.attempt_no)
        for order_id, (sent, outcome) in by_order.items()
    }

    def record(ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
        with connection.cursor() as cursor:
            cursor.execute(_ANSWERED, [now, *_attempt_columns([by_order[key] for key in ids])])
            cursor.execute(_HEARD, {"now": now, **_order_columns([by_order[key] for key in ids], verdicts)})
            return cursor.fetchall()

    # An order is in one batch at most, so that two who hear never wait for each other.
    with transaction.atomic(durable=True):
        moved, refused = together(sorted(by_order), record)
    for order_id, error in refused.items():
        # The order stays SENDING with its attempt unanswered: the resolver asks the venue.
        log.error("an answer could not be recorded", order=str(order_id), error=str(error).splitlines()[0])
    unheard = [verdicts[key].reason for key, (_, outcome) in by_order.items() if isinstance(outcome, Unknown)]
    if unheard:
        venue_heard(venue_code, error=unheard[0], now=now)
    refusals_follow(
        {key: outcome for key, (_, outcome) in by_order.items() if isinstance(outcome, Rejected)}, now=now
    )
    states = dict(moved)
    elsewhere = [key for key in by_order if key not in states]
    if elsewhere:
        states |= dict(Order.objects.filter(pk__in=elsewhere).values_list("pk", "state"))
    return _told(
        [Heard(key, sent.intent_id, states[key], verdicts[key].reason) for key, (sent, _) in by_order.items()]
    )


def _attempt_columns(answers: Sequence[tuple[Sent, Outcome]]) -> list[list[Any]]:
    return [
        [sent.order_id for sent, _ in answers],
        [sent.attempt_no for sent, _ in answers],
        [type(outcome).__name__ for _, outcome in answers],
        [_code(outcome)[:80] for _, outcome in answers],
        [getattr(outcome, "http_status", None) for _, outcome in answers],
        [getattr(outcome, "message", "")[:2000] for _, outcome in answers],
    ]


def _order_columns(
    answers: Sequence[tuple[Sent, Outcome]], verdicts: Mapping[uuid.UUID, Verdict]
) -> dict[str, list[Any]]:
    taken = [outcome if isinstance(outcome, Accepted) else None for _, outcome in answers]
    judged = [verdicts[sent.order_id] for sent, _ in answers]
    return {
        "ids": [sent.order_id for sent, _ in answers],
        "attempts": [sent.attempt_no for sent, _ in answers],
        "states": [verdict.status.value for verdict in judged],
        "reasons": [verdict.reason[:300] for verdict in judged],
        "names": [item.venue_order_id if item else "" for item in taken],
        "reported": [item.size_matched if item else None for item in taken],
    }


def _code(outcome: Outcome) -> str:
    """The word by which an answer is found again: a refusal's code, a silence's reason, an acceptance's status."""
    word: str = (
        getattr(outcome, "code", "") or getattr(outcome, "reason", "") or getattr(outcome, "status", "")
    )
    return word


def _told(heard: list[Heard]) -> list[Heard]:
    """The same, after a line in the log for the batch and one for each order that was not taken."""
    log.info("orders answered", orders=len(heard), taken=sum(item.state == "ACKED" for item in heard))
    for item in heard:
        if item.state != "ACKED":
            log.warning("order not taken", order=str(item.order_id), state=item.state, reason=item.reason)
    return heard
