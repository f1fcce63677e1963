"""Turns open intents into orders on a venue, a batch at a time: a death at any line costs seconds and never money.

prepare (identities and bytes, one commit) -> commit to send (compare-and-set, attempt rows, one commit) -> one POST
with no transaction and no lock -> hear (one commit, guarded by the attempts' numbers). A single order is a batch of
one. `docs/adr/0005-order-protocol.md` gives the rules.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from hedging.domain.config import HedgeSettings
from hedging.models import Intent, Order
from hedging.selectors.standings import Standing, standings_read
from hedging.selectors.switches import Stop, Switches, switches_read
from hedging.services.breakers import venues_resume_due
from hedging.services.config import config_read
from hedging.services.intents import (
    intent_finish,
    intents_claim_due,
    intents_count_dispatch,
    intents_postpone,
)
from hedging.services.preparation import orders_prepare
from hedging.services.sends import (
    SEND_DEADLINE_S,
    Heard,
    budget_of,
    orders_commit_to_send,
    orders_transmit,
)
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Broken
from tonsurance.plumbing.apart import sqlstate_of
from venues.domain.gateway import Gateway
from venues.registry import gateway_for
from venues.services.budgets import budget_take
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

GATE_CLOSED, LIMIT_REACHED, INTENT_NOT_OPEN = "HB001", "HB002", "HB011"
REQUESTS_MAX = 20
"""How many requests one portion of intents fills: prepared in one commit, sent one request after the other."""

REST = timedelta(seconds=15)
"""How long a decision waits that a switch holds back."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What one step came to. `order_id` is set when an order may be on the wire and wants a look-up."""

    word: str
    sentence: str
    order_id: uuid.UUID | None = None


def intent_place(intent_id: uuid.UUID, *, now: datetime) -> Placed:
    """Take one intent a step further: send its prepared order, or prepare and send its next one, or finish it.

    Safe to call at any time, any number of times, from any number of processes.
    """
    venue_code = Intent.objects.values_list("venue_id", flat=True).get(pk=intent_id)
    return intents_place(venue_code, [intent_id], now=now)[intent_id]


def intents_place_due(
    venue_code: str, *, now: datetime, first: uuid.UUID | None = None
) -> dict[uuid.UUID, Placed]:
    """Lease a portion of a venue's due intents, `first` among them, and place them together."""
    limit = gateway_for(venue_code).batch_max * REQUESTS_MAX
    due = intents_claim_due(venue_code, now=now, limit=limit, first=first)
    return intents_place(venue_code, due, now=now) if due else {}


def intents_place(
    venue_code: str, intent_ids: Sequence[uuid.UUID], *, now: datetime
) -> dict[uuid.UUID, Placed]:
    """Take intents of one venue a step further together; what became of each, by its id.

    All are prepared in one commit, and sent in requests of `batch_max`. Every one is judged alone, by us, by the
    database's gate and by the venue. Raises Broken for more than REQUESTS_MAX requests.
    """
    gateway = gateway_for(venue_code)
    if len(intent_ids) > gateway.batch_max * REQUESTS_MAX:
        raise Broken(f"{len(intent_ids)} intents at once are more than {REQUESTS_MAX} requests")
    config, switches = config_read(), _switches(venue_code, now=now)
    placed: dict[uuid.UUID, Placed] = {}
    ready: list[Standing] = []
    for standing in standings_read(intent_ids):
        said = _said_at_once(standing, config=config, switches=switches, now=now)
        if said is None:
            ready.append(standing)
        else:
            placed[standing.intent.pk] = said
    counted, parked = intents_count_dispatch([item.intent.pk for item in ready]) if ready else (set(), set())
    placed |= {key: Placed("parked", "too many tries without an end") for key in parked}
    work = [item for item in ready if item.intent.pk in counted]
    prepared = orders_prepare(
        [item for item in work if item.live is None], gateway=gateway, config=config, now=now
    )
    placed |= {key: Placed(*said) for key, said in prepared.ended.items()}
    orders = {item.live.order_id: item.intent.pk for item in work if item.live is not None}
    placed |= _send(orders | prepared.orders, gateway, now=now)
    for item in ready:
        placed.setdefault(item.intent.pk, Placed("raced", "another process is at work on it"))
    return placed


def portions_of(intents: Sequence[tuple[str, uuid.UUID]]) -> list[tuple[str, list[uuid.UUID]]]:
    """Intents, given as (venue code, id), in the portions that `intents_place` takes at once."""
    by_venue: dict[str, list[uuid.UUID]] = {}
    for venue_code, intent_id in intents:
        by_venue.setdefault(venue_code, []).append(intent_id)
    return [
        (venue_code, ids[start : start + step])
        for venue_code, ids in by_venue.items()
        for step in [gateway_for(venue_code).batch_max * REQUESTS_MAX]
        for start in range(0, len(ids), step)
    ]


def sending_refusal(intent: Intent, *, config: HedgeSettings | None = None) -> str:
    """Why nothing of this intent may be sent now ("" when it may). Closing orders pass where opening ones do not."""
    if settings.TRADING_ENVIRONMENT == "PAPER":
        return "environment is PAPER: nothing is sent anywhere; set TRADING_ENVIRONMENT=PRACTICE or LIVE"
    if settings.TRADING_ENVIRONMENT == "LIVE" and not settings.LIVE_TRADING_ALLOWED:
        return "live trading needs LIVE_TRADING_ALLOWED=true besides TRADING_ENVIRONMENT=LIVE"
    if not (config or config_read()).enabled:
        return "trading is off: set `enabled` in Configuration"
    if not intent.venue.is_enabled and intent.purpose == Intent.Purpose.OPEN:
        return f"venue {intent.venue_id} is disabled"
    return ""


def _switches(venue_code: str, *, now: datetime) -> Switches:
    """The switches that hold; a pause that is over ends here, should nobody have ended it yet."""
    switches = switches_read(venue_code)
    if not switches.is_over(now=now):
        return switches
    venues_resume_due(now=now)
    return switches_read(venue_code)


def _said_at_once(
    standing: Standing, *, config: HedgeSettings, switches: Switches, now: datetime
) -> Placed | None:
    """What can be said of an intent without any work on it; None when it is to be worked on."""
    intent, live = standing.intent, standing.live
    if intent.state != Intent.State.OPEN:
        return Placed("finished", f"the intent is {intent.state}")
    if live is not None and live.state != "PREPARED":
        if intent.rest_until is not None:
            # The resolver wakes it when the order dies.
            intents_postpone([intent.pk], until=intent.rest_until, why=f"order {live.name[:12]} rests")
        return Placed("in_doubt", f"order {live.name[:12]} is {live.state}", live.order_id)
    refusal = sending_refusal(intent, config=config)
    if refusal:
        intents_postpone([intent.pk], until=now + REST, why=refusal)
        return Placed("denied", refusal)
    if now > intent.valid_until:
        return _expire(standing, now=now)
    closed = switches.stop(
        is_reducing=intent.purpose != Intent.Purpose.OPEN, rests=intent.rest_until is not None
    )
    if closed is not None:
        intents_postpone([intent.pk], until=max(closed.resume_at or now + REST, now), why=closed.sentence)
        return Placed("gated", closed.sentence)
    return None


def _expire(standing: Standing, *, now: datetime) -> Placed:
    """A stale decision dies: its world is gone. A prepared order of it was never sent, so it may be dropped."""
    if standing.live is not None:
        with transaction.atomic(durable=True):
            Order.objects.filter(pk=standing.live.order_id, state="PREPARED").update(
                state="ABORTED", reason="the decision was too old to send"
            )
    intent_finish(
        standing.intent.pk,
        state=Intent.State.ABANDONED,
        outcome="too old to send; the next cycle decides anew",
        now=now,
    )
    return Placed("expired", "the decision was too old to send")


def _send(orders: dict[uuid.UUID, uuid.UUID], gateway: Gateway, *, now: datetime) -> dict[uuid.UUID, Placed]:
    """Send prepared orders, given with their intents, a request at a time; what became of each intent that was ours.

    Once the venue's budget grants no request, or a switch has closed, the rest stay prepared until their turn comes.
    """
    placed: dict[uuid.UUID, Placed] = {}
    ids = list(orders)
    requests = [ids[start : start + gateway.batch_max] for start in range(0, len(ids), gateway.batch_max)]
    was_heard = False
    for number, request in enumerate(requests):
        # Preparing took its time, and the proofs of absence count from the send.
        at = max(now, utc_now())
        wait_s = budget_take(gateway.venue_code, budget_of(len(request)), tokens=len(request))
        if wait_s > 0:
            placed |= _wait_turns(requests[number:], orders, gateway.venue_code, wait_s=wait_s, now=at)
            break
        heard, refused = _send_request(request, gateway, now=at)
        was_heard |= any(item.state != "UNKNOWN" for item in heard)
        placed |= {item.intent_id: Placed(item.state.lower(), item.reason, item.order_id) for item in heard}
        for order_id, error in refused.items():
            placed[orders[order_id]] = _gate_refused(order_id, orders[order_id], error, now=at)
        left = [orders[key] for portion in requests[number + 1 :] for key in portion]
        stop = _stop_after(heard, refused, gateway.venue_code) if left else None
        if stop is not None:
            until = max(stop.resume_at or at + REST, at)
            intents_postpone(left, until=until, why=stop.sentence, was_try=False)
            placed |= dict.fromkeys(left, Placed("gated", stop.sentence))
            break
    if was_heard:
        venue_heard(gateway.venue_code, now=utc_now())
    return placed


def _send_request(
    order_ids: Sequence[uuid.UUID], gateway: Gateway, *, now: datetime
) -> tuple[list[Heard], dict[uuid.UUID, DatabaseError]]:
    """One request: committed to send, on the wire, heard. What the gate refused of it is told by order id."""
    deadline_s = monotonic_s() + SEND_DEADLINE_S
    committed = orders_commit_to_send(
        order_ids, venue_code=gateway.venue_code, from_state="PREPARED", now=now
    )
    heard = orders_transmit(committed.sent, gateway=gateway, deadline_s=deadline_s)
    return heard, committed.refused


def _stop_after(
    heard: Sequence[Heard], refused: Mapping[uuid.UUID, DatabaseError], venue_code: str
) -> Stop | None:
    """What a request met that the next one would meet as well: a switch, or the venue's pause."""
    if not refused and all(item.state != "REJECTED" for item in heard):
        return None
    return switches_read(venue_code).stop(is_reducing=False, rests=False)


def _wait_turns(
    requests: Sequence[Sequence[uuid.UUID]],
    orders: Mapping[uuid.UUID, uuid.UUID],
    venue_code: str,
    *,
    wait_s: float,
    now: datetime,
) -> dict[uuid.UUID, Placed]:
    """Postpone the first request by exactly the wait, and each further one by once more of it."""
    placed: dict[uuid.UUID, Placed] = {}
    for number, request in enumerate(requests):
        turn_s = wait_s * (number + 1)
        why = f"{venue_code} grants the next request in {turn_s:.1f} s"
        left = [orders[key] for key in request]
        intents_postpone(left, until=now + timedelta(seconds=turn_s), why=why, was_try=False)
        placed |= dict.fromkeys(left, Placed("postponed", why))
    return placed


def _gate_refused(
    order_id: uuid.UUID, intent_id: uuid.UUID, error: DatabaseError, *, now: datetime
) -> Placed:
    """The database's gate said no: a breaker (or a person who parked the intent meanwhile) rests it, a limit ends it.

    Anything else is a fault of ours: it is reported with its traceback, and the order waits for a person's look.
    """
    state = sqlstate_of(error)
    sentence = str(error).splitlines()[0]
    if state in (GATE_CLOSED, INTENT_NOT_OPEN):
        intents_postpone([intent_id], until=now + REST, why=sentence, was_try=False)
        return Placed("gated", sentence)
    if state != LIMIT_REACHED:
        log.error("an order could not be committed to send", order=str(order_id), exc_info=error)
        intents_postpone([intent_id], until=now + REST, why=sentence)
        return Placed("broken", sentence)
    with transaction.atomic(durable=True):
        Order.objects.filter(pk=order_id, state="PREPARED").update(state="ABORTED", reason=sentence[:300])
    intent_finish(intent_id, state=Intent.State.ABANDONED, outcome=sentence, now=now)
    return Placed("limited", sentence)
