"""Carries out what a person ordered of the wallet: one act after another, each signed, sent once and found again.

Never a part of an order. An act is committed as a row before anything is signed, its bytes before they are sent; the
same bytes may go out again, because the chain executes their number once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from venues.domain.accounts import ActFound, ActKind, ActStage, WalletAct
from venues.domain.gateway import Accepted, LookupFailed, Rejected
from venues.models import WalletJob
from venues.registry import wallet_for
from venues.selectors.accounts import LIVE_JOBS
from venues.services.accounts import account_read

log = structlog.get_logger(__name__)

SENDING_DEADLINE = timedelta(seconds=30)
"""Longer than the client's time-out: a sender that has not answered by then is taken for dead."""

RESEND_AFTER = timedelta(seconds=20)
ATTEMPTS_MAX = 5
JOBS_MAX = 50
_S = WalletJob.State


def wallet_acts_missing(venue_code: str) -> list[WalletAct]:
    """What the wallet must still allow. Raises LookupFailed without an answer."""
    return wallet_for(venue_code).approve_acts()


def wallet_acts_wrap(venue_code: str, amount_usd: Decimal) -> list[WalletAct]:
    """How the wallet wraps so much money. Raises Refused for more than there is, LookupFailed without an answer."""
    return wallet_for(venue_code).wrap_acts(amount_usd)


def wallet_balance_refresh(venue_code: str) -> None:
    """Let the venue read the wallet's money again. Raises LookupFailed without an answer."""
    wallet_for(venue_code).refresh_balance()


def wallet_jobs_open(
    venue_code: str, acts: Sequence[WalletAct], *, actor: str, reason: str, now: datetime
) -> list[WalletJob]:
    """Record a person's order for these acts, in their order. Raises Refused while others are under way."""
    if not reason.strip():
        raise Refused("reason: say why the wallet is to do this", field="reason")
    if WalletJob.objects.filter(venue_id=venue_code, state__in=LIVE_JOBS).exists():
        raise Refused("the wallet has jobs under way; wait for their end", code="busy")
    with transaction.atomic():
        return [
            WalletJob.objects.create(
                venue_id=venue_code,
                kind=act.kind.value,
                title=act.title[:200],
                lines=list(act.lines),
                calls=[list(call) for call in act.calls],
                amount_usd=act.amount_usd,
                requested_by=actor,
                reason=reason.strip()[:300],
                created_at=now + timedelta(microseconds=number),
            )
            for number, act in enumerate(acts[:JOBS_MAX])
        ]


def wallet_jobs_advance(venue_code: str, *, now: datetime) -> str:
    """Take the wallet's oldest live job one step further; a sentence of what was done, "" when nothing is due.

    Safe to call at any time, any number of times, from any number of processes.
    """
    live = WalletJob.objects.filter(venue_id=venue_code, state__in=LIVE_JOBS).order_by("created_at", "pk")
    job = live.first()
    if job is None:
        return ""
    try:
        if job.state == _S.WAITING:
            return _prepare(job)
        if job.state == _S.PREPARED:
            return _send(job, now=now)
        return _find(job, now=now)
    except LookupFailed as error:
        return f"{job.title}: no answer ({error})"


def wallet_jobs_abort(venue_code: str, *, actor: str, now: datetime) -> int:
    """Give up the jobs that nobody has sent; return how many. One on its way is not stopped by this."""
    ended = 0
    for job in WalletJob.objects.filter(venue_id=venue_code, state__in=[_S.WAITING, _S.PREPARED]):
        ended += _move(
            job.pk, old=job.state, state=_S.ABORTED, finished_at=now, outcome=f"given up by {actor}"[:300]
        )
    return ended


def _prepare(job: WalletJob) -> str:
    """Sign. What the chain would refuse ends the job with the reason."""
    act = WalletAct(
        kind=ActKind(job.kind),
        title=job.title,
        lines=tuple(job.lines),
        calls=tuple((call[0], call[1]) for call in job.calls),
        amount_usd=job.amount_usd,
    )
    try:
        signed = wallet_for(job.venue_id).sign_act(act)
    except Refused as no:
        _move(job.pk, old=_S.WAITING, state=_S.ABORTED, finished_at=utc_now(), outcome=f"refused: {no}"[:300])
        return f"{job.title}: {no}"
    try:
        _move(
            job.pk,
            old=_S.WAITING,
            state=_S.PREPARED,
            name=signed.name,
            payload=signed.payload,
            fence_at=signed.fence_at,
        )
    except IntegrityError:
        return f"{job.title}: another process was first"
    return f"{job.title}: signed as {signed.name}"


def _send(job: WalletJob, *, now: datetime) -> str:
    """The commit to send, then the wire, once, with no transaction open."""
    moved = _move(
        job.pk, old=job.state, state=_S.SENDING, attempts=F("attempts") + 1, sent_at=now, outcome=""
    )
    if not moved:
        return f"{job.title}: another process sends it"
    attempts = job.attempts + 1
    outcome = wallet_for(job.venue_id).submit(bytes(job.payload))
    said = f"{getattr(outcome, 'message', '') or getattr(outcome, 'status', '')}"[:300]
    if isinstance(outcome, Rejected) and attempts == 1:
        _move(job.pk, old=_S.SENDING, state=_S.REJECTED, finished_at=utc_now(), outcome=said)
        return f"{job.title}: refused, {said}"
    relay_id = outcome.venue_order_id if isinstance(outcome, Accepted) else ""
    _move(
        job.pk, old=_S.SENDING, state=_S.UNKNOWN, outcome=said, **({"relay_id": relay_id} if relay_id else {})
    )
    log.info("wallet job sent", job=str(job.pk), name=job.name, attempt=attempts, said=said)
    return f"{job.title}: sent; {said}"


def _find(job: WalletJob, *, now: datetime) -> str:
    if job.state == _S.SENDING:
        if job.sent_at and now - job.sent_at < SENDING_DEADLINE:
            return f"{job.title}: its sender still has time"
        _move(job.pk, old=_S.SENDING, state=_S.UNKNOWN, outcome="its sender gave no answer")
    found = wallet_for(job.venue_id).find_act(bytes(job.payload), relay_id=job.relay_id)
    if found.stage is ActStage.DONE:
        return _done(job, found, now=now)
    if found.stage in (ActStage.FAILED, ActStage.VOID):
        state = _S.FAILED if found.stage is ActStage.FAILED else _S.VOID
        _move(job.pk, old=_S.UNKNOWN, state=state, finished_at=now, outcome=found.said[:300])
        return f"{job.title}: {found.said}"
    is_due = job.sent_at is None or now - job.sent_at >= RESEND_AFTER
    if found.stage is ActStage.UNSEEN and is_due and job.attempts < ATTEMPTS_MAX:
        fresh = WalletJob.objects.get(pk=job.pk)
        return _send(fresh, now=now) if fresh.state == _S.UNKNOWN else f"{job.title}: {found.said}"
    return f"{job.title}: {found.said}"


def _done(job: WalletJob, found: ActFound, *, now: datetime) -> str:
    """It took effect: let the venue read the wallet again, then read our standing."""
    moved = _move(
        job.pk,
        old=_S.UNKNOWN,
        state=_S.DONE,
        finished_at=now,
        outcome=found.said[:300],
        transaction_hash=found.transaction_hash,
    )
    if moved:
        log.info("wallet job done", job=str(job.pk), transaction=found.transaction_hash)
        wallet_for(job.venue_id).refresh_balance()
        account_read(job.venue_id, now=now)
    return f"{job.title}: {found.said}"


def _move(job_id: uuid.UUID, *, old: str, **values: object) -> int:
    """Compare and set, committed; 0 when another process was first."""
    with transaction.atomic(durable=True):
        return WalletJob.objects.filter(pk=job_id, state=old).update(**values)
