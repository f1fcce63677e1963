"""Asks leave before a venue is asked, and believes the venue about what is left: one budget for all workers."""

from __future__ import annotations

from datetime import datetime

import structlog

from tonsurance.plumbing.buckets import (
    Take,
    bucket_empty,
    bucket_ensure,
    bucket_lower,
    bucket_open,
    buckets_take,
)
from venues.domain.budgets import Bucket, BudgetKind, LimitReading
from venues.domain.gateway import Gateway
from venues.models import VenueLimit
from venues.registry import gateway_for

log = structlog.get_logger(__name__)


def budget_take(venue_code: str, kind: BudgetKind, *, tokens: int = 1) -> float:
    """0.0 when `tokens` may be spent on one request of this kind now; else the seconds to wait, with nothing taken.

    Tokens count orders for ORDER, BATCH and CANCEL, requests for the others. Raises Broken for more than the venue
    ever grants at once.
    """
    charges = gateway_for(venue_code).budget_plan().get(kind, ())
    takes = [
        Take(bucket_name(venue_code, charge.bucket.name), 1 if charge.per_request else tokens, charge.floor)
        for charge in charges
    ]
    if not takes:
        return 0.0
    wait_s = buckets_take(takes)
    if wait_s is None:
        for charge in charges:
            _open(venue_code, charge.bucket)
        wait_s = buckets_take(takes)
    return wait_s or 0.0


def budget_note(venue_code: str, gateway: Gateway, *, now: datetime) -> None:
    """Apply what the venue's answers since the last call said of our limits. Call it after a request."""
    for reading in gateway.take_limit_readings():
        name = bucket_name(venue_code, reading.bucket)
        if reading.tier or reading.is_warning:
            _note_tier(venue_code, gateway, reading, now=now)
        if reading.remaining is not None:
            bucket_lower(name, tokens=reading.remaining)
        if reading.wait_s is not None:
            bucket_empty(name, seconds=reading.wait_s)
            log.warning("venue limits us", venue=venue_code, bucket=reading.bucket, wait_s=reading.wait_s)


def bucket_name(venue_code: str, bucket: str) -> str:
    """The name under which all workers share a venue's bucket."""
    return f"{venue_code}: {bucket}"


def _open(venue_code: str, bucket: Bucket) -> None:
    bucket_open(bucket_name(venue_code, bucket.name), capacity=bucket.capacity, rate=bucket.rate)


def _note_tier(venue_code: str, gateway: Gateway, reading: LimitReading, *, now: datetime) -> None:
    """Give the buckets the size of a tier that the venue moved us to, and keep the venue's last warning."""
    row = VenueLimit.objects.filter(venue_id=venue_code, bucket=reading.bucket).first()
    if row is None:
        row, _ = VenueLimit.objects.get_or_create(
            venue_id=venue_code, bucket=reading.bucket, defaults={"noted_at": now}
        )
    if reading.is_warning and (row.warned_at is None or row.warned_at < now):
        VenueLimit.objects.filter(pk=row.pk).update(warned_at=now)
    if not reading.tier or reading.tier == row.tier:
        return
    VenueLimit.objects.filter(pk=row.pk).update(tier=reading.tier, noted_at=now)
    log.info("venue tier", venue=venue_code, bucket=reading.bucket, tier=reading.tier, before=row.tier)
    for charges in gateway.budget_plan(reading.tier).values():
        for charge in charges:
            if charge.bucket.name == reading.bucket:
                bucket_ensure(
                    bucket_name(venue_code, reading.bucket),
                    capacity=charge.bucket.capacity,
                    rate=charge.bucket.rate,
                )
