"""What a look-up at the venue makes of an order.

The venue's amounts decide, not its status word: an order that the venue calls matched may be killed after a
part, and one that it no longer lists may have traded. An order is finished only when every unit that the
venue reports is booked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hedging.domain.absence import (
    AbsenceEvidence,
    AbsencePolicy,
    absence_missing,
    counts_as_proof,
    proofs_since_sent,
)
from hedging.domain.orders import DEAD, DUST, OrderFacts, OrderStatus, can_move
from venues.domain.gateway import Absent, OrderReport, OrderState

_S = OrderStatus

_ENDED = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED})


# The venue takes a resting order off its book up to a minute before it expires (docs.polymarket.com, order types).
_PULLED_EARLY = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupPatience:
    """How long we look before a person must: an unanswered order, and an acknowledged one that shows nothing.

    `attempts_max`: how often the same bytes go out at most.
    """

    unknown_s: int = 3600
    acked_s: int = 900
    attempts_max: int = 5


PATIENCE = LookupPatience()


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """Where an order goes after a look-up. `status` may be where it is; `absent_proofs`: the count of
    proofs of absence to store with the moment of this look-up, None when this one was no proof.

    `reported_size`: what the venue says has traded, None when it did not say. `resend`: the identical bytes
    may go out.
    """

    status: OrderStatus
    reason: str
    reported_size: Decimal | None = None
    absent_proofs: int | None = None
    resend: bool = False
    alarm: bool = False


def judge_lookup(
    order: OrderFacts,
    found: OrderReport | Absent | None,
    *,
    now: datetime,
    policy: AbsencePolicy,
    evidence: AbsenceEvidence,
    decision_is_valid: bool,
    patience: LookupPatience = PATIENCE,
) -> Move:
    """The next state of `order`, whose fills known to the venue are booked already.

    `found` is None when the look-up failed, which proves nothing. `decision_is_valid`: the intent still wants
    the trade, so that identical bytes may be sent again where the venue deduplicates them.
    """
    if order.is_overfilled:
        return _to_person(order, "more traded than its bytes allow")
    if order.state in DEAD:
        return _judge_dead(order, found)
    if order.state in (_S.PREPARED, _S.MANUAL, _S.FILLED):
        return _stay(order, "a look-up does not move an order in this state")
    if found is None:
        return _judge_silence(order, now=now, patience=patience)
    if isinstance(found, OrderReport):
        return _judge_report(order, found, now=now, patience=patience)
    if order.state in (_S.SENDING, _S.UNKNOWN):
        return _judge_absent_unknown(
            order,
            now=now,
            policy=policy,
            evidence=evidence,
            decision_is_valid=decision_is_valid,
            patience=patience,
        )
    return _judge_absent_known(order, now=now, policy=policy, patience=patience)


def _judge_report(order: OrderFacts, report: OrderReport, *, now: datetime, patience: LookupPatience) -> Move:
    said = f"the venue says {report.venue_status}, {report.size_matched} matched"
    if report.state is OrderState.UNRECOGNISED:
        if _age(order, now) >= timedelta(seconds=patience.unknown_s):
            return _to_person(order, f"{said}: a word we do not know", reported=report.size_matched)
        return _stay(order, f"{said}: a word we do not know", reported=report.size_matched)
    if report.state is OrderState.PENDING:
        said = f"{report.venue_status}; nothing is promised before it is final"
        if _age(order, now) >= timedelta(seconds=patience.unknown_s):
            return _to_person(order, said)
        return _stay(order, said)
    reported = max(report.size_matched, order.reported_size or Decimal(0))
    if report.state is OrderState.LIVE and order.expires_at is not None and order.absent_proofs:
        # It is listed again: what was not found before proves nothing any more.
        return replace(_known(order, said, reported), absent_proofs=0)
    if report.state not in _ENDED or order.filled_size + DUST < reported:
        return _known(
            order, said if report.state not in _ENDED else f"{said}; waiting for its trades", reported
        )
    return _finish(order, _ended_status(order, report.state), said, reported)


def _ended_status(order: OrderFacts, state: OrderState) -> OrderStatus:
    """The word for an order that can trade no more and whose trades are all booked."""
    if order.is_filled_in_full:
        return _S.FILLED
    if state is OrderState.REJECTED and order.filled_size == 0:
        return _S.REJECTED
    if state is OrderState.EXPIRED:
        return _S.EXPIRED
    return _S.CANCELLED


def _judge_absent_unknown(
    order: OrderFacts,
    *,
    now: datetime,
    policy: AbsencePolicy,
    evidence: AbsenceEvidence,
    decision_is_valid: bool,
    patience: LookupPatience,
) -> Move:
    if order.state is _S.SENDING:
        return Move(
            status=_S.UNKNOWN, reason="its sender gave no answer in time, and the venue does not list it"
        )
    if order.filled_size > 0:
        return _known(order, "its trades show that the venue had it", None)
    missing = absence_missing(order, now=now, evidence=evidence, policy=policy)
    if not missing and evidence.venue_knows:
        return Move(
            status=_S.CANCELLED, reason="the venue had it, and it is proven that nothing of it traded"
        )
    if not missing:
        return Move(status=_S.NOT_PLACED, reason="absence is proven")
    proofs = proofs_since_sent(order) + 1 if counts_as_proof(order, at=now, policy=policy) else None
    may_resend = order.resend_allowed and decision_is_valid and not evidence.venue_knows
    if may_resend and order.attempts < patience.attempts_max:
        return Move(
            status=_S.UNKNOWN,
            reason="the venue does not list it; the identical bytes may be sent again",
            absent_proofs=proofs,
            resend=True,
        )
    if _age(order, now) >= timedelta(seconds=patience.unknown_s):
        return _to_person(order, f"no proof either way: {'; '.join(missing)}")
    return Move(status=_S.UNKNOWN, reason=f"not found; missing: {'; '.join(missing)}", absent_proofs=proofs)


def _judge_absent_known(
    order: OrderFacts, *, now: datetime, policy: AbsencePolicy, patience: LookupPatience
) -> Move:
    """The venue acknowledged it and no longer lists it: it has ended, and its trades say how. Never NOT_PLACED."""
    reported = order.reported_size
    if order.is_filled_in_full:
        return _finish(order, _S.FILLED, "all of it traded", reported)
    if order.expires_at is not None:
        return _judge_absent_resting(order, now=now, policy=policy)
    settled = timedelta(seconds=policy.proof_gap_s)
    is_old = order.acked_at is not None and now - order.acked_at >= settled
    if order.filled_size > 0 and is_old and order.filled_size + DUST >= (reported or Decimal(0)):
        return _finish(order, _S.CANCELLED, "a part traded, the rest was killed", reported)
    if order.filled_size == 0 and reported is not None and reported == 0 and is_old:
        return _finish(
            order, _S.CANCELLED, "nothing of it traded, and the venue does not list it any more", reported
        )
    if _age(order, now) >= timedelta(seconds=patience.acked_s):
        return _to_person(order, "acknowledged, not listed any more, and its trades do not say how it ended")
    return _known(order, "not listed any more; waiting for its trades", reported)


def _judge_absent_resting(order: OrderFacts, *, now: datetime, policy: AbsencePolicy) -> Move:
    """A resting order that is not listed any more was filled, cancelled or has expired.

    It was listed for minutes, so that its age says nothing about its trades: they get `proof_gap_s` from the first
    look-up that did not find it.
    """
    reported = order.reported_size
    if order.absent_proofs == 0 or order.last_absent_at is None:
        waiting = _known(order, "not listed any more; its trades may still arrive", reported)
        return replace(waiting, absent_proofs=1)
    if now - order.last_absent_at < timedelta(seconds=policy.proof_gap_s):
        return _known(order, "not listed any more; its trades may still arrive", reported)
    if order.filled_size + DUST < (reported or Decimal(0)):
        if now - order.last_absent_at >= timedelta(seconds=PATIENCE.acked_s):
            return _to_person(order, "not listed any more, and trades that the venue counted do not appear")
        return _known(order, "not listed any more; waiting for its trades", reported)
    part = "a part traded" if order.filled_size > 0 else "nothing of it traded"
    if order.expires_at is not None and now >= order.expires_at - _PULLED_EARLY:
        return _finish(order, _S.EXPIRED, f"it expired; {part}", reported)
    return _finish(order, _S.CANCELLED, f"it does not rest any more; {part}", reported)


def _judge_silence(order: OrderFacts, *, now: datetime, patience: LookupPatience) -> Move:
    if order.state is _S.SENDING:
        return Move(status=_S.UNKNOWN, reason="its sender gave no answer in time, and the look-up failed")
    if order.state is _S.UNKNOWN and _age(order, now) >= timedelta(seconds=patience.unknown_s):
        return _to_person(order, "no answer from the venue for too long")
    return _stay(order, "the look-up failed, which proves nothing")


def _judge_dead(order: OrderFacts, found: OrderReport | Absent | None) -> Move:
    """Truth is never refused, and never applied silently: life after death goes to a person, loudly."""
    if not isinstance(found, OrderReport):
        return _stay(order, "dead, and the venue shows no life")
    is_alive = found.state is OrderState.LIVE or found.size_matched > order.filled_size + DUST
    if not is_alive:
        return _stay(order, "dead, and the venue shows no life", reported=found.size_matched)
    return Move(
        status=_S.MANUAL,
        reason=f"we held it {order.state}, the venue says {found.venue_status} with {found.size_matched} matched",
        reported_size=found.size_matched,
        alarm=True,
    )


def _known(order: OrderFacts, reason: str, reported: Decimal | None) -> Move:
    """The venue has it; PARTIAL once something is booked."""
    wanted = _S.PARTIAL if order.filled_size > 0 else _S.ACKED
    status = wanted if can_move(order.state, wanted) else order.state
    return Move(status=status, reason=reason, reported_size=reported)


def _finish(order: OrderFacts, status: OrderStatus, reason: str, reported: Decimal | None) -> Move:
    if can_move(order.state, status):
        return Move(status=status, reason=reason, reported_size=reported)
    if order.state is _S.SENDING:
        return Move(status=_S.UNKNOWN, reason=reason, reported_size=reported)
    return _to_person(order, f"{reason}, which does not fit {order.state}", reported=reported)


def _stay(order: OrderFacts, reason: str, *, reported: Decimal | None = None) -> Move:
    return Move(status=order.state, reason=reason, reported_size=reported)


def _to_person(order: OrderFacts, reason: str, *, reported: Decimal | None = None) -> Move:
    """MANUAL where the table of moves has it; a SENDING order becomes UNKNOWN first."""
    if can_move(order.state, _S.MANUAL):
        return Move(status=_S.MANUAL, reason=reason, reported_size=reported, alarm=True)
    status = _S.UNKNOWN if order.state is _S.SENDING else order.state
    return Move(status=status, reason=reason, reported_size=reported, alarm=True)


def _age(order: OrderFacts, now: datetime) -> timedelta:
    since = order.acked_at or order.sent_at
    return now - since if since is not None else timedelta(0)
