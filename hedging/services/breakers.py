"""Opens and closes the switches that the send gate reads. A person's name and reason are part of every change."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from hedging.domain.pauses import Pause, takes_resting_orders
from hedging.models import Breaker
from tonsurance.kernel.errors import Refused
from venues.selectors.accounts import account_standing

log = structlog.get_logger(__name__)

SYSTEM = "system"
ACCOUNT = "account: "
"""Begins the reason of a breaker that our standing at a venue has opened."""


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
        breaker.pause = "" if breaker.latched else breaker.pause
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
        breaker.pause = ""
        breaker.probe_budget = 0
        breaker.save()
    log.warning("breaker reset", scope=scope, reason=reason, actor=actor, at=now.isoformat())
    return breaker


def venue_pause(venue_code: str, *, kind: Pause, reason: str, until: datetime, now: datetime) -> None:
    """Rest a venue that said "not now"; `venues_resume_due` ends the rest at `until`.

    The newest word says what the venue still takes; a rest of the same kind is only ever made longer. What a person has
    stopped stays stopped.
    """
    scope = f"venue:{venue_code}"
    with transaction.atomic():
        breaker, _ = Breaker.objects.select_for_update().get_or_create(scope=scope)
        if breaker.latched:
            return
        is_longer = breaker.pause == kind.value and breaker.resume_at is not None
        breaker.state = Breaker.State.OPEN
        breaker.effect = Breaker.Effect.POST_ONLY if takes_resting_orders(kind) else Breaker.Effect.HALT
        breaker.pause = kind.value
        breaker.reason = f"pause: {reason}"[:300]
        breaker.opened_at = breaker.opened_at or now
        breaker.changed_by = SYSTEM
        breaker.resume_at = max(until, breaker.resume_at) if is_longer and breaker.resume_at else until
        breaker.save()
    log.warning("venue paused", venue=venue_code, kind=kind.value, reason=reason, until=until.isoformat())


def account_reason(opening_refusal: str) -> str:
    """Why a venue takes closing orders only, when it is our account that may not open."""
    return f"{ACCOUNT}{opening_refusal}; only closing orders are sent"[:300]


def _keep_account_rule(breaker: Breaker, *, now: datetime) -> None:
    """A pause that ends does not open what our standing at the venue keeps shut."""
    standing = account_standing(breaker.scope.removeprefix("venue:"))
    if standing is not None and standing.opening_refusal:
        breaker.state = Breaker.State.OPEN
        breaker.effect = Breaker.Effect.REDUCE_ONLY
        breaker.reason = account_reason(standing.opening_refusal)
        breaker.opened_at = now


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
            breaker.pause = ""
            breaker.effect = Breaker.Effect.HALT
            breaker.changed_by = SYSTEM
            _keep_account_rule(breaker, now=now)
            breaker.save()
            resumed += 1
    return resumed
