"""Opens and closes the switches that the send gate reads. A person's name and reason are part of every change."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from hedging.models import Breaker
from tonsurance.kernel.errors import Refused

log = structlog.get_logger(__name__)

SYSTEM = "system"


def breaker_trip(
    scope: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
    effect: str = Breaker.Effect.HALT,
    latched: bool = True,
) -> Breaker:
    """Block sending in `scope` (`global` or `venue:<code>`) from the next send on, in every process."""
    if not reason.strip():
        raise Refused("reason: say why trading is stopped", field="reason")
    with transaction.atomic():
        breaker, _ = Breaker.objects.select_for_update().get_or_create(scope=scope)
        # A second reason to stop never loosens what a person has to lift.
        keeps_halt = breaker.latched and breaker.effect == Breaker.Effect.HALT
        breaker.state = Breaker.State.OPEN
        breaker.effect = Breaker.Effect.HALT if keeps_halt else effect
        breaker.reason = reason[:300]
        breaker.opened_at = breaker.opened_at or now
        breaker.changed_by = actor
        breaker.latched = latched or breaker.latched
        breaker.resume_at = None if breaker.latched else breaker.resume_at
        breaker.save()
    log.warning("breaker tripped", scope=scope, effect=effect, reason=reason, actor=actor)
    return breaker


def breaker_reset(scope: str, *, reason: str, actor: str, now: datetime) -> Breaker:
    """Allow sending in `scope` again. Raises Refused without a reason, or when there is no such breaker."""
    if not reason.strip():
        raise Refused("reason: say why trading may go on", field="reason")
    with transaction.atomic():
        breaker = Breaker.objects.select_for_update().filter(scope=scope).first()
        if breaker is None:
            raise Refused(f"scope: there is no breaker {scope!r}", field="scope")
        breaker.state = Breaker.State.CLOSED
        breaker.reason = reason[:300]
        breaker.opened_at = None
        breaker.changed_by = actor
        breaker.latched = False
        breaker.resume_at = None
        breaker.probe_budget = 0
        breaker.save()
    log.warning("breaker reset", scope=scope, reason=reason, actor=actor, at=now.isoformat())
    return breaker


def venue_pause(venue_code: str, *, reason: str, seconds: int, now: datetime) -> None:
    """Rest a venue that said "not now" (restart, rate limit, maintenance); `venues_resume_due` ends the rest."""
    scope = f"venue:{venue_code}"
    with transaction.atomic():
        breaker, _ = Breaker.objects.select_for_update().get_or_create(scope=scope)
        if breaker.latched:
            return
        until = now + timedelta(seconds=seconds)
        breaker.state = Breaker.State.OPEN
        breaker.effect = Breaker.Effect.HALT
        breaker.reason = f"pause: {reason}"[:300]
        breaker.opened_at = breaker.opened_at or now
        breaker.changed_by = SYSTEM
        breaker.resume_at = max(until, breaker.resume_at) if breaker.resume_at else until
        breaker.save()
    log.warning("venue paused", venue=venue_code, reason=reason, seconds=seconds)


def venues_resume_due(*, now: datetime) -> int:
    """Close the breakers whose pause is over; return how many."""
    resumed = 0
    for scope in Breaker.objects.filter(
        state=Breaker.State.OPEN, latched=False, resume_at__lte=now
    ).values_list("scope", flat=True):
        with transaction.atomic():
            breaker = Breaker.objects.select_for_update().get(scope=scope)
            if breaker.latched or breaker.resume_at is None or breaker.resume_at > now:
                continue
            breaker.state = Breaker.State.CLOSED
            breaker.reason = "pause over"
            breaker.opened_at = None
            breaker.resume_at = None
            breaker.changed_by = SYSTEM
            breaker.save()
            resumed += 1
    return resumed
