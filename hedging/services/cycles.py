"""One run of the orchestrator: begun by inserting its row, which is also the lock, and finished with its plan.

A bell that finds a cycle running waits for it and then runs its own only if that cycle began before the bell was heard:
whatever the bell announced was committed earlier, so a later reading has seen it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import sleep

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

from hedging.domain.config import HedgeSettings
from hedging.models import Cycle
from hedging.services.attributions import ended_policies_forget
from hedging.services.config import config_read
from hedging.services.orchestrator import calculate_all_allocations, cycle_mode, execute_hedge_allocation
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.plumbing.apart import apart

log = structlog.get_logger(__name__)

CYCLE_LIFE = timedelta(seconds=90)
"""A running cycle older than this died with its process; its row is closed and the next one begins."""

WAIT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What a run left: its row and the intents that it opened, as (venue code, intent id)."""

    cycle_id: int
    intents: list[tuple[str, uuid.UUID]] = field(default_factory=list)


def cycle_run_if_due(*, cause: str, now: datetime) -> CycleResult | None:
    """Run a cycle unless one that began after `now` has already seen everything; None then.

    `cause` is a word, or a word, a colon and a sentence. `now` is when the bell was heard. Waits at most 30 s for a
    running cycle.
    """
    deadline = monotonic_s() + WAIT_S
    while monotonic_s() < deadline:
        if (
            Cycle.objects.filter(state=Cycle.State.DONE, as_of__gt=now)
            .exclude(mode=Cycle.Mode.DRY_RUN)
            .exists()
        ):
            return None
        result = cycle_run(cause=cause)
        if result is not None:
            return result
        sleep(_POLL_S)
    log.error("a cycle has been running for too long", waited_s=WAIT_S)
    return None


def cycle_run(*, cause: str, dry_run: bool = False, actor: str = "orchestrator") -> CycleResult | None:
    """Read, think, write once; None when another process is in the middle of it. A failure is recorded and raised."""
    config = config_read()
    cycle = _begin(cause, config, dry_run=dry_run)
    if cycle is None:
        return None
    try:
        allocations = calculate_all_allocations(now=cycle.as_of, config=config)
        written = execute_hedge_allocation(cycle, allocations, config=config, actor=actor, now=utc_now())
    except Exception as error:
        Cycle.objects.filter(pk=cycle.pk, state=Cycle.State.RUNNING).update(
            state=Cycle.State.FAILED, finished_at=utc_now(), error=f"{type(error).__name__}: {error}"[:2000]
        )
        raise
    log.info("cycle done", cycle=cycle.pk, cause=cause, mode=cycle.mode, intents=len(written.intents),
             required_usd=str(cycle.required_usd), planned_usd=str(cycle.planned_usd))  # fmt: skip
    with apart("notes of ended policies could not be dropped", cycle=str(cycle.pk)):
        ended_policies_forget(now=utc_now())
    return CycleResult(cycle.pk, written.intents)


def _begin(cause: str, config: HedgeSettings, *, dry_run: bool) -> Cycle | None:
    now = utc_now()
    Cycle.objects.filter(state=Cycle.State.RUNNING, as_of__lt=now - CYCLE_LIFE).update(
        state=Cycle.State.FAILED, finished_at=now, error="its process died before it finished"
    )
    word, _, detail = cause.partition(": ")
    try:
        with transaction.atomic():
            return Cycle.objects.create(
                cause=word[:40],
                cause_detail=detail[:300],
                mode=cycle_mode(config, dry_run=dry_run),
                environment=settings.TRADING_ENVIRONMENT,
                as_of=now,
                config=config.as_json(),
            )
    except IntegrityError:
        return None
