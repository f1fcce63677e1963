"""When an order without an answer may be declared never placed: only when every way it could still be alive is closed.

"Not found" is not "not placed": look-ups lag, and a request accepted at the gate may trade later. Each venue
has its own policy; what is missing for a proof is listed in sentences, so that a person sees what is being
waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hedging.domain.orders import OrderFacts, OrderStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class AbsencePolicy:
    """What a venue needs before an order that it does not know is believed absent.

    `quarantine_s` after the last attempt; for venues that refuse old bytes (`needs_fence`) also after the
    fence, on the venue's clock. `proofs_min` authoritative "not found" answers at least `proof_gap_s` apart,
    the last of them after the quarantine. `needs_untouched`: the exchange contract says that nothing of the
    order traded. `needs_explained_position`: the position at the venue is explained without the order.
    `forgotten_after_s`: the venue itself forgets orders of that age, so that "not found" means nothing any
    more (None: never).
    """

    quarantine_s: int
    proofs_min: int = 2
    proof_gap_s: int
    needs_fence: bool = False
    needs_untouched: bool = False
    needs_explained_position: bool = False
    forgotten_after_s: int | None = None


POLYMARKET = AbsencePolicy(quarantine_s=600, proof_gap_s=60, needs_untouched=True)
"""Any hash may match late (asynchronous write path), but the contract's `getOrderStatus(hash)` knows what traded."""

BINANCE_FUTURES = AbsencePolicy(
    quarantine_s=30,
    proof_gap_s=5,
    needs_fence=True,
    needs_explained_position=True,
    forgotten_after_s=72 * 3600,
)
"""The venue refuses bytes older than `recvWindow`; unfilled orders are forgotten after three days
(developers.binance.com, USDS-M futures, query order)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AbsenceEvidence:
    """What was found out about one order's absence besides the count of proofs on its row.

    `senders_finished`: every attempt has its answer on record, or the process that made it is known to be
    dead. `venue_knows`: an attempt was answered "already known". `untouched`: the contract's word (None:
    could not be asked). `position_explained`: None where it was not compared. `venue_now`: the venue's clock
    (None: not read).
    """

    senders_finished: bool
    venue_knows: bool = False
    untouched: bool | None = None
    position_explained: bool | None = None
    venue_now: datetime | None = None


def counts_as_proof(order: OrderFacts, *, at: datetime, policy: AbsencePolicy) -> bool:
    """Whether an authoritative "not found" at `at` is another proof.

    It must come after the last attempt; an answer within the gap repeats the last proof and is not counted.
    """
    if order.state is not OrderStatus.UNKNOWN:
        return False
    if order.sent_at is None or at <= order.sent_at:
        return False
    if proofs_since_sent(order) == 0 or order.last_absent_at is None:
        return True
    return at - order.last_absent_at >= timedelta(seconds=policy.proof_gap_s)


def proofs_since_sent(order: OrderFacts) -> int:
    """The proofs that still count: sending the bytes again makes all earlier ones worthless."""
    if order.sent_at is None or order.last_absent_at is None or order.last_absent_at <= order.sent_at:
        return 0
    return order.absent_proofs


def absence_missing(
    order: OrderFacts, *, now: datetime, evidence: AbsenceEvidence, policy: AbsencePolicy
) -> tuple[str, ...]:
    """What is still missing before `order` may be declared NOT_PLACED, one sentence each; empty when it is proven."""
    if order.state is not OrderStatus.UNKNOWN:
        return (f"only an UNKNOWN order can be proven absent, this one is {order.state}",)
    missing = [
        *_missing_time(order, now=now, evidence=evidence, policy=policy),
        *_missing_proofs(order, policy=policy),
    ]
    if order.filled_size > 0 or (order.reported_size or 0) > 0:
        missing.append("something of it traded")
    if not evidence.senders_finished:
        missing.append("a process that may still send it is not known to be dead")
    if policy.needs_untouched and evidence.untouched is not True:
        known = "says that it traded" if evidence.untouched is False else "has not been asked"
        missing.append(f"the exchange contract {known}")
    if policy.needs_explained_position and evidence.position_explained is not True:
        missing.append("the position at the venue is not explained without it")
    return tuple(missing)


def absence_is_proven(
    order: OrderFacts, *, now: datetime, evidence: AbsenceEvidence, policy: AbsencePolicy
) -> bool:
    """Whether UNKNOWN may become NOT_PLACED."""
    return not absence_missing(order, now=now, evidence=evidence, policy=policy)


def _missing_time(
    order: OrderFacts, *, now: datetime, evidence: AbsenceEvidence, policy: AbsencePolicy
) -> list[str]:
    if order.sent_at is None:
        return ["it is not known when it was sent"]
    missing = []
    wait = timedelta(seconds=policy.quarantine_s)
    if now - order.sent_at < wait:
        missing.append(f"the last attempt is less than {policy.quarantine_s} s ago")
    if policy.needs_fence:
        venue_now = evidence.venue_now
        if order.fence_at is None or venue_now is None:
            missing.append("the venue's clock or the order's fence is not known")
        elif venue_now <= order.fence_at + wait:
            missing.append(
                f"the venue may still accept its bytes until {policy.quarantine_s} s after the fence"
            )
    if policy.forgotten_after_s is not None and now - order.sent_at >= timedelta(
        seconds=policy.forgotten_after_s
    ):
        missing.append("the venue forgets orders of this age, so that its silence proves nothing")
    return missing


def _missing_proofs(order: OrderFacts, *, policy: AbsencePolicy) -> list[str]:
    proofs = proofs_since_sent(order)
    if proofs < policy.proofs_min:
        return [f"{proofs} of {policy.proofs_min} look-ups, {policy.proof_gap_s} s apart, did not find it"]
    if order.sent_at is None or order.last_absent_at is None:
        return ["it is not known when it was last looked up"]
    if order.last_absent_at - order.sent_at < timedelta(seconds=policy.quarantine_s):
        return ["the last look-up was before the quarantine ended"]
    return []
