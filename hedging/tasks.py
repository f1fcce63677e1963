"""Celery's doors into the book: a task carries one id or word, rereads all, and may come late, twice or never."""

from __future__ import annotations

import uuid

from celery import shared_task

from hedging.selectors.orders import order_named
from hedging.services.breakers import venues_resume_due
from hedging.services.claims import claims_note_closed
from hedging.services.cycles import cycle_run_if_due
from hedging.services.discovery import markets_search_due
from hedging.services.executor import intents_place_due, portions_of
from hedging.services.mapping_watch import MAPPINGS_EVERY_S, mappings_watch
from hedging.services.price_watch import PRICES_EVERY_S, price_moved
from hedging.services.reconciliation import reconcile_venue
from hedging.services.resolver import order_check, orders_check_due
from hedging.services.resting import resting_review
from hedging.services.settlements import settlements_watch
from hedging.services.wallet_watch import account_step, resolutions_step, wallet_step
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.slots import slot_claim
from venues.services.accounts import wallet_venue_codes
from venues.services.venues import venue_codes_with_gateway

RESOLVED_WITH = 14
"""How many other orders that are due one bell looks up with its own."""


def ring_place(venue_code: str, intent_id: uuid.UUID) -> None:
    """Wake the worker that places this venue's orders."""
    ring("hedging.place", venue_code, str(intent_id), queue=f"place.{venue_code}")


def ring_resolve(venue_code: str, order_id: uuid.UUID) -> None:
    """Wake the worker that looks this venue's orders up."""
    ring("hedging.resolve", venue_code, str(order_id), queue=f"resolve.{venue_code}")


@shared_task(name="hedging.orchestrate")
def orchestrate(cause: str = "beat") -> str:
    """Run one cycle. Beat's bell runs at most once per five minutes, whoever rings it and however often."""
    now = utc_now()
    if cause == "beat" and not slot_claim("orchestrate", every_s=300, now=now):
        return "slot taken"
    result = cycle_run_if_due(cause=cause, now=now)
    if result is None:
        return "another cycle is running and will see this"
    for venue_code, portion in portions_of(result.intents):
        ring_place(venue_code, portion[0])
    return f"cycle {result.cycle_id}: {len(result.intents)} intents"


@shared_task(name="hedging.place")
def place(venue_code: str, intent_id: str) -> str:
    """Take one intent a step further, with whatever else is due and fits into its request; ring for the look-ups."""
    named = uuid.UUID(intent_id)
    placed = intents_place_due(venue_code, now=utc_now(), first=named)
    sent = [item.order_id for item in placed.values() if item.order_id is not None]
    if sent:
        ring_resolve(venue_code, sent[0])
    if named in placed:
        return placed[named].word
    return f"{len(placed)} others placed" if placed else "nothing is due"


@shared_task(name="hedging.resolve")
def resolve(venue_code: str, order_id: str) -> str:
    """Look one order up, and the others that are due with it; when one is dead, ring for the next of its intent."""
    named = order_check(uuid.UUID(order_id), now=utc_now())
    checked = [named, *orders_check_due(venue_code, now=utc_now(), limit=RESOLVED_WITH)]
    due = [item.intent_id for item in checked if item.intent_id is not None]
    for portion in portions_of([(venue_code, intent_id) for intent_id in due]):
        ring_place(venue_code, portion[1][0])
    return named.word


@shared_task(name="hedging.watch_orders")
def watch_orders() -> int:
    """Look up every order that is due, in case no bell was heard."""
    if not slot_claim("watch_orders", every_s=10, now=utc_now()):
        return 0
    venues_resume_due(now=utc_now())
    checked = 0
    for venue_code in sorted(venue_codes_with_gateway()):
        if slot_claim(f"resting:{venue_code}", every_s=10, now=utc_now()):
            resting_review(venue_code, now=utc_now())
        results = orders_check_due(venue_code, now=utc_now(), limit=100)
        checked += len(results)
        due = [(venue_code, item.intent_id) for item in results if item.intent_id is not None]
        for _, portion in portions_of(due):
            ring_place(venue_code, portion[0])
    return checked


@shared_task(name="hedging.watch_settlements")
def watch_settlements() -> int:
    """Follow provisional fills to CONFIRMED or FAILED."""
    if not slot_claim("watch_settlements", every_s=15, now=utc_now()):
        return 0
    moved = sum(
        settlements_watch(venue_code, now=utc_now()) for venue_code in sorted(venue_codes_with_gateway())
    )
    claims_note_closed(now=utc_now())
    return moved


@shared_task(name="hedging.watch_resolutions")
def watch_resolutions() -> int:
    """Look for answers of markets that matter to us, and decide the redemption of what has one."""
    return sum(resolutions_step(venue_code, now=utc_now()) for venue_code in sorted(wallet_venue_codes()))


@shared_task(name="hedging.watch_account")
def watch_account() -> int:
    """Read our standing at each venue: where we may only close, nothing is opened."""
    return sum(account_step(venue_code, now=utc_now()) for venue_code in sorted(wallet_venue_codes()))


@shared_task(name="hedging.wallet_jobs")
def wallet_jobs() -> int:
    """Take ordered jobs of the wallets a step further."""
    return sum(wallet_step(venue_code, now=utc_now()) for venue_code in sorted(wallet_venue_codes()))


@shared_task(name="hedging.reconcile")
def reconcile() -> int:
    """Compare our rows with every venue's reports."""
    if not slot_claim("reconcile", every_s=60, now=utc_now()):
        return 0
    return sum(
        reconcile_venue(venue_code, now=utc_now()).differences
        for venue_code in sorted(venue_codes_with_gateway())
    )


@shared_task(name="hedging.watch_mappings")
def watch_mappings() -> int:
    """Suspend mappings whose market is not what was approved, and lift what has passed."""
    if not slot_claim("watch_mappings", every_s=MAPPINGS_EVERY_S, now=utc_now()):
        return 0
    watched = mappings_watch(now=utc_now())
    return len(watched.suspended) + len(watched.resumed)


@shared_task(name="hedging.find_markets")
def find_markets() -> int:
    """Search for markets to hedge with, once a day, and propose them to a person."""
    if not slot_claim("find_markets", every_s=3600, now=utc_now()):
        return 0
    return markets_search_due(now=utc_now())


@shared_task(name="hedging.watch_prices")
def watch_prices() -> str:
    """Wake the orchestrator when a market has left the band around the price of the last cycle."""
    now = utc_now()
    # Says only that somebody looks; a price that moved a second ago must not wait for the next stretch of time.
    slot_claim("watch_prices", every_s=PRICES_EVERY_S, now=now)
    cause = price_moved(now=now)
    if cause:
        ring("hedging.orchestrate", cause)
    return cause or "no price moved"


@shared_task(name="hedging.hear")
def hear(venue_code: str, client_order_id: str) -> str:
    """Look an order up because its venue's stream spoke of it. A hint: what happened comes from the look-up alone."""
    now = utc_now()
    order_id = order_named(venue_code, client_order_id)
    if order_id is None:
        return "not an order of ours"
    checked = order_check(order_id, now=now)
    if checked.intent_id is not None:
        ring_place(venue_code, checked.intent_id)
    if checked.word == "finished" and slot_claim(f"hear_settlements:{venue_code}", every_s=2, now=now):
        settlements_watch(venue_code, now=now)
    return checked.word
