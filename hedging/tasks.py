"""Celery's doors into the book: a task carries one id or word, rereads all, and may come late, twice or never."""

from __future__ import annotations

import uuid

from celery import shared_task

from hedging.services.claims import claims_note_closed
from hedging.services.cycles import cycle_run_if_due
from hedging.services.executor import intent_place
from hedging.services.reconciliation import reconcile_venue
from hedging.services.resolver import order_check, orders_check_due
from hedging.services.settlements import settlements_watch
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.slots import slot_claim
from venues.services.venues import venue_codes_with_gateway


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
    for venue_code, intent_id in result.intents:
        ring_place(venue_code, intent_id)
    return f"cycle {result.cycle_id}: {len(result.intents)} intents"


@shared_task(name="hedging.place")
def place(venue_code: str, intent_id: str) -> str:
    """Take one intent a step further and ring for the look-up of what it sent."""
    placed = intent_place(uuid.UUID(intent_id), now=utc_now())
    if placed.order_id is not None:
        ring_resolve(venue_code, placed.order_id)
    return placed.word


@shared_task(name="hedging.resolve")
def resolve(venue_code: str, order_id: str) -> str:
    """Look one order up; when it is dead, ring for the next order of its intent."""
    checked = order_check(uuid.UUID(order_id), now=utc_now())
    if checked.intent_id is not None:
        ring_place(venue_code, checked.intent_id)
    return checked.word


@shared_task(name="hedging.watch_orders")
def watch_orders() -> int:
    """Look up every order that is due, in case no bell was heard."""
    if not slot_claim("watch_orders", every_s=10, now=utc_now()):
        return 0
    checked = 0
    for venue_code in sorted(venue_codes_with_gateway()):
        for result in orders_check_due(venue_code, now=utc_now(), limit=100):
            checked += 1
            if result.intent_id is not None:
                ring_place(venue_code, result.intent_id)
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


@shared_task(name="hedging.reconcile")
def reconcile() -> int:
    """Compare our rows with every venue's reports."""
    if not slot_claim("reconcile", every_s=60, now=utc_now()):
        return 0
    return sum(
        reconcile_venue(venue_code, now=utc_now()).differences
        for venue_code in sorted(venue_codes_with_gateway())
    )
