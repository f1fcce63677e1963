"""Celery's doors into the markets."""

from __future__ import annotations

from celery import shared_task
from celery.signals import worker_init

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.slots import slot_claim
from venues.domain.gateway import LookupFailed
from venues.services.instruments import instruments_refresh
from venues.services.venues import (
    balances_refresh,
    venue_codes_with_gateway,
    venue_heard,
    venue_lines_preload,
)


@worker_init.connect
def preload(**_told: object) -> None:
    """Before the pool forks, so that every child has the libraries and no first order waits for them."""
    venue_lines_preload()


@shared_task(name="venues.refresh_instruments")
def refresh_instruments() -> int:
    """Read the terms of every known instrument and our balances again."""
    if not slot_claim("refresh_instruments", every_s=300, now=utc_now()):
        return 0
    refreshed = 0
    for venue_code in sorted(venue_codes_with_gateway()):
        now = utc_now()
        try:
            refreshed += len(instruments_refresh(venue_code, now=now))
            balances_refresh(venue_code, now=now)
        except LookupFailed as error:
            venue_heard(venue_code, now=now, error=str(error))
        else:
            venue_heard(venue_code, now=now)
    return refreshed
