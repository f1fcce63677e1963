"""Fixes the identity and bytes of the next orders of a batch of intents, and commits them before anybody sends.

Books are asked for together, orders are cut and signed without network or database, and all are born in one commit.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import connection, transaction

from hedging.domain.config import HedgeSettings
from hedging.domain.resting import resting_slice
from hedging.domain.slices import Remaining, Slice, next_slice
from hedging.models import Intent
from hedging.selectors.standings import Standing
from hedging.selectors.transactions import transaction_in_flight
from hedging.services.intents import intent_finish, intents_postpone
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.ids import time_ordered_uuid
from tonsurance.plumbing.apart import together
from venues.domain.books import Book
from venues.domain.gateway import Gateway, LookupFailed, OrderRequest, Prepared, Side, TimeInForce
from venues.domain.instruments import InstrumentTerms
from venues.registry import wallet_for
from venues.selectors.instruments import terms_of
from venues.services.books import books_ask
from venues.services.venues import venue_heard

log = structlog.get_logger(__name__)

GENERATIONS_MAX = 25
REDEMPTIONS_MAX = 3
_UNSENT_CHECK = timedelta(seconds=20)
_BOOK_RETRY = timedelta(seconds=5)

# The row lock of an intent is its lane's lock: two workers cannot both make generation n.
_LOCK = "SELECT id FROM hedging_intent WHERE id = ANY(%s) AND state = 'OPEN' ORDER BY id FOR UPDATE"
_NEXT = (
    "SELECT intent_id, max(generation) + 1 FROM hedging_order WHERE intent_id = ANY(%s) GROUP BY intent_id"
)


_UNSENT = {
    "state": "PREPARED",
    "attempts": 0,
    "absent_proofs": 0,
    "checks": 0,
    "filled_size": 0,
    "filled_usd": 0,
    "fee_usd": 0,
    "venue_order_id": "",
    "reason": "",
    "version": 0,
}
"""What every order is born with; the database refuses any other birth."""


@dataclass(frozen=True, slots=True)
class Prepares:
    """What a batch came to: intents by their new orders, and (word, sentence) of intents that got none, by intent."""

    orders: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    ended: dict[uuid.UUID, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Cut:
    """One order before its birth."""

    standing: Standing
    request: OrderRequest
    prepared: Prepared
    fee_usd_max: Decimal


def orders_prepare(
    standings: Sequence[Standing], *, gateway: Gateway, config: HedgeSettings, now: datetime
) -> Prepares:
    """Prepare the next order of each intent, or end the intent with the reason why there is none.

    An intent that is in neither part of the result belongs to another process now.
    """
    done = Prepares()
    wanting = [item for item in standings if not _is_over(item, done, now=now)]
    redeeming = [item for item in wanting if item.intent.purpose == Intent.Purpose.REDEEM]
    for item in redeeming:
        # One by one: each carries the next number of the same wallet.
        cut = _redemption(item, done, now=now)
        if cut is not None:
            _commit([cut], done, gateway=gateway, now=now)
    wanting = [item for item in wanting if item not in redeeming]
    if not wanting:
        return done
    try:
        instruments = {item.intent.instrument_id: item.intent.instrument for item in wanting}
        books = books_ask(list(instruments.values()), gateway=gateway, now=now)
    except LookupFailed as error:
        _without_books(wanting, done, gateway.venue_code, why=str(error), now=now)
        return done
    cuts = []
    for item in wanting:
        book = books.get(item.intent.instrument_id)
        if book is None:
            _without_books(
                [item], done, gateway.venue_code, why="the venue gave no book of this market", now=now
            )
            continue
        cut = _cut(item, book, done, gateway=gateway, config=config, now=now)
        if cut is not None:
            cuts.append(cut)
    _commit(cuts, done, gateway=gateway, now=now)
    return done


def _is_over(item: Standing, done: Prepares, *, now: datetime) -> bool:
    """End an intent that needs no book to be over."""
    if item.intent.purpose == Intent.Purpose.REDEEM:
        return _is_redeemed(item, done, now=now)
    if item.tries >= GENERATIONS_MAX:
        sentence = f"stopped after {item.tries} orders"
    elif item.usd_left <= 0 or item.size_left <= 0:
        sentence = "complete"
    elif item.intent.rest_until is not None and item.tries > 0:
        sentence = f"rested; {item.delivered.normalize():f} of {item.intent.size.normalize():f} units traded"
    else:
        return False
    _end(item, done, state=Intent.State.DONE, sentence=sentence, now=now)
    return True


def _is_redeemed(item: Standing, done: Prepares, *, now: datetime) -> bool:
    """End a redemption that paid, and one that failed too often; it is decided anew after a while."""
    if item.delivered > 0:
        sentence = f"redeemed {item.delivered.normalize():f} units at {item.intent.price_limit.normalize():f}"
        _end(item, done, state=Intent.State.DONE, sentence=sentence, now=now)
        return True
    if item.tries >= REDEMPTIONS_MAX:
        sentence = f"stopped after {item.tries} transactions that brought nothing"
        _end(item, done, state=Intent.State.ABANDONED, sentence=sentence, now=now)
        return True
    return False


def _redemption(item: Standing, done: Prepares, *, now: datetime) -> _Cut | None:
    """Sign the redemption of one intent; None when it must wait for the wallet, or is refused, which ends it."""
    intent = item.intent
    if transaction_in_flight(intent):
        why = "another transaction of the wallet is on its way"
        intents_postpone([intent.pk], until=now + _BOOK_RETRY, why=why, was_try=False)
        done.ended[intent.pk] = ("waiting", why)
        return None
    request = OrderRequest(
        terms=terms_of(intent.instrument),
        side=Side.SELL,
        time_in_force=TimeInForce.TX,
        size=item.size_left,
        notional_usd=intent.notional_usd,
        price_limit=intent.price_limit,
        decision_key=intent.decision_key,
        generation=item.generation,
        created_at=intent.created_at,
    )
    try:
        prepared = wallet_for(intent.venue_id).prepare_redemption(request)
    except LookupFailed as error:
        venue_heard(intent.venue_id, error=str(error), now=now)
        intents_postpone([intent.pk], until=now + _BOOK_RETRY, why=str(error), was_try=False)
        done.ended[intent.pk] = ("unreachable", str(error))
        return None
    except Refused as error:
        intent_finish(intent.pk, state=Intent.State.ABANDONED, outcome=f"refused: {error}", now=now)
        done.ended[intent.pk] = ("refused", str(error))
        return None
    return _Cut(item, request, prepared, Decimal(0))


def _end(item: Standing, done: Prepares, *, state: str, sentence: str, now: datetime) -> None:
    intent_finish(item.intent.pk, state=state, outcome=sentence, now=now)
    done.ended[item.intent.pk] = ("finished", sentence)


def _without_books(
    items: Sequence[Standing], done: Prepares, venue_code: str, *, why: str, now: datetime
) -> None:
    """Nothing is cut blind: wait a moment. A venue that is away is no fault of the decisions."""
    venue_heard(venue_code, error=why, now=now)
    keys = [item.intent.pk for item in items]
    intents_postpone(keys, until=now + _BOOK_RETRY, why=f"no book from the venue: {why}", was_try=False)
    done.ended.update(dict.fromkeys(keys, ("unreachable", why)))


def _cut(
    item: Standing, book: Book, done: Prepares, *, gateway: Gateway, config: HedgeSettings, now: datetime
) -> _Cut | None:
    """Cut and sign the next order of one intent; None when there is nothing to send, which ends it."""
    intent, terms = item.intent, terms_of(item.intent.instrument)
    piece = _slice(item, book, terms, config=config)
    if piece.size <= 0:
        state = Intent.State.DONE if item.generation else Intent.State.ABANDONED
        _end(item, done, state=state, sentence=piece.sentence, now=now)
        return None
    request = OrderRequest(
        terms=terms,
        side=Side(intent.side),
        time_in_force=TimeInForce(intent.time_in_force),
        size=piece.size,
        notional_usd=piece.notional_usd,
        price_limit=piece.price_limit,
        decision_key=intent.decision_key,
        generation=item.generation,
        created_at=intent.created_at,
        post_only=intent.rest_until is not None,
        expires_at=intent.rest_until,
    )
    try:
        prepared = gateway.prepare(request)
    except Refused as error:
        intent_finish(intent.pk, state=Intent.State.ABANDONED, outcome=f"refused: {error}", now=now)
        done.ended[intent.pk] = ("refused", str(error))
        return None
    return _Cut(item, request, prepared, piece.fee_usd_max)


def _slice(item: Standing, book: Book, terms: InstrumentTerms, *, config: HedgeSettings) -> Slice:
    left = Remaining(
        side=Side(item.intent.side),
        notional_usd=item.usd_left,
        size=item.size_left,
        price_limit=item.intent.price_limit,
    )
    if item.intent.rest_until is not None:
        return resting_slice(left, book, terms)
    return next_slice(
        left,
        book,
        terms,
        notional_usd_max=config.notional_usd_max_per_order,
        participation=config.depth_participation,
    )


def _commit(cuts: Sequence[_Cut], done: Prepares, *, gateway: Gateway, now: datetime) -> None:
    """Write the orders in one durable commit, without those whose intent another process has moved on."""
    if not cuts:
        return
    born = {cut.standing.intent.pk: _birth(cut, gateway=gateway, now=now) for cut in cuts}
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [list(born)])
            ours = {row[0] for row in cursor.fetchall()}
            cursor.execute(_NEXT, [list(born)])
            taken = {key for key, generation in cursor.fetchall() if generation > born[key]["generation"]}
        written, refused = together(
            [key for key in born if key in ours - taken], lambda ids: _copy([born[key] for key in ids])
        )
    done.orders.update({row["id"]: row["intent_id"] for row in written})
    for key, error in refused.items():
        # Our own bytes or sums break a rule of the book: loud, and left for the lease to bring it up again.
        log.error("an order was not born", intent=str(key), exc_info=error)
        done.ended[key] = ("broken", str(error).splitlines()[0])


def _copy(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write these orders; COPY passes every trigger and constraint that an INSERT does."""
    command = f"COPY hedging_order ({', '.join(rows[0])}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(list(row.values()))
    return rows


def _birth(cut: _Cut, *, gateway: Gateway, now: datetime) -> dict[str, Any]:
    """A new order, column by column."""
    request, prepared, intent = cut.request, cut.prepared, cut.standing.intent
    takes = request.time_in_force is not TimeInForce.GTD
    return {
        "id": time_ordered_uuid(),
        "intent_id": intent.pk,
        "generation": request.generation,
        "venue_id": intent.venue_id,
        "instrument_id": intent.instrument_id,
        "client_order_id": prepared.client_order_id,
        "salt": prepared.salt,
        "payload": prepared.payload,
        "payload_sha": hashlib.sha256(prepared.payload).digest(),
        "side": request.side.value,
        "time_in_force": request.time_in_force.value,
        "size": prepared.size,
        "notional_usd": prepared.notional_usd,
        "price_limit": prepared.price_limit,
        "fee_usd_max": cut.fee_usd_max,
        # A resting order is capped by its units at its own price, wherever a taking one is capped by money.
        "spends_budget": request.side is Side.BUY and gateway.buy_spends_budget and takes,
        "is_reducing": intent.purpose != Intent.Purpose.OPEN,
        "resend_allowed": gateway.can_resend,
        "post_only": request.post_only,
        "expires_at": request.expires_at,
        "fence_at": prepared.fence_at,
        "next_check_at": now + _UNSENT_CHECK,
        **_UNSENT,
        "created_at": now,
        "updated_at": now,
    }
