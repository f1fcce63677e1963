"""Who may be hedged by what: proposing, approving, declining, suspending and resuming mappings.

Nothing is bought through an unapproved one. docs/adr/0010-suspended-mappings.md says what the machine may do by itself.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from hedging.domain.mappings import PASSING, Suspension
from hedging.models import Intent, Mapping, Order
from hedging.selectors.mappings import alike
from hedging.services.breakers import SYSTEM
from hedging.services.intents import intent_finish
from policies.selectors.products import product_key_of, products_of
from tonsurance.kernel.errors import Conflict, Refused
from venues.domain.gateway import LookupFailed
from venues.services.instruments import instruments_refresh

if TYPE_CHECKING:
    from policies.models import Product
    from venues.models import Instrument

log = structlog.get_logger(__name__)


def mapping_propose(
    *,
    product: Product,
    instrument: Instrument,
    grade: str,
    basis_probability: Decimal,
    pays_on: str,
    internal_event_id: str = "",
    actor: str = "",
) -> tuple[Mapping, bool]:
    """Record that `instrument` may offset `product`; returns (mapping, created). It trades only once approved."""
    if not product.is_valid:
        raise Refused(
            f"product: {product} is not sold ({product.invalid_reason}); choose a valid one", field="product"
        )
    if grade not in Mapping.Grade.values:
        raise Refused(
            f"grade: {grade!r} is unknown; use one of {', '.join(Mapping.Grade.values)}", field="grade"
        )
    if not Decimal(0) <= basis_probability <= Decimal(1):
        raise Refused("basis_probability: give a probability between 0 and 1", field="basis_probability")
    return Mapping.objects.get_or_create(
        product=product,
        instrument=instrument,
        defaults={
            "grade": grade,
            "basis_probability": basis_probability,
            "pays_on": pays_on,
            "internal_event_id": internal_event_id,
            "found_by": actor,
            "changed_by": actor,
            "read_wording_hash": instrument.wording_hash,
        },
    )


def mapping_propose_market(
    *,
    coverage_type: str,
    chain: str,
    stablecoin: str,
    venue_code: str,
    instrument_id: str,
    grade: str,
    basis_probability: Decimal,
    pays_on: str,
    internal_event_id: str = "",
    actor: str = "",
    now: datetime,
) -> tuple[Mapping, bool]:
    """Read a market's terms from its venue and propose it for a product. Raises Refused for one unknown."""
    try:
        found = instruments_refresh(venue_code, now=now, instrument_ids=[instrument_id.strip()])
    except LookupFailed as error:
        raise Refused(
            f"instrument_id: {venue_code} gave no answer ({error}); try again when it does",
            field="instrument_id",
        ) from error
    if not found:
        raise Refused(
            f"instrument_id: {venue_code} has no market with the outcome token {instrument_id!r}; copy its token id",
            field="instrument_id",
        )
    key = product_key_of(coverage_type=coverage_type, chain=chain, stablecoin=stablecoin)
    product = products_of([key.number])[0]
    return mapping_propose(
        product=product,
        instrument=found[0],
        grade=grade,
        basis_probability=basis_probability,
        pays_on=pays_on,
        internal_event_id=internal_event_id,
        actor=actor,
    )


def mapping_approve(mapping_id: int, *, actor: str, now: datetime) -> Mapping:
    """Allow trading through a mapping as it was proposed, on the wording that its market has now."""
    return mappings_approve(mapping_id, actor=actor, now=now)[0]


def mappings_approve(
    mapping_id: int,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    grade: str = "",
    basis_probability: Decimal | None = None,
    wording_read: str = "",
    with_same: bool = False,
) -> list[Mapping]:
    """As `mapping_approve`, by a person's own judgement; return what was approved, the mapping first.

    `grade` and `basis_probability` are the person's judgement (default: as proposed); `wording_read` is the hash of
    what the person read. `with_same`: also the proposals of the same market that were compared with the same result.

    Raises Refused for no hedge or a closed market, Conflict when the wording is not the one that was read.
    """
    with transaction.atomic():
        mapping = _locked(mapping_id)
        market = mapping.instrument
        if wording_read and wording_read != market.wording_hash:
            raise Conflict(
                "the market's wording changed while you read it; read it again", field="wording_read"
            )
        if market.closed:
            raise Refused(
                f"instrument: the market {market.slug} is closed; choose an open one", field="instrument"
            )
        mapping.grade = grade or mapping.grade
        mapping.basis_probability = (
            mapping.basis_probability if basis_probability is None else basis_probability
        )
        _check_judgement(mapping.grade, mapping.basis_probability)
        rows = [mapping, *(_same_proposals(mapping) if with_same else [])]
        for row in rows:
            row.state = Mapping.State.APPROVED
            row.grade, row.basis_probability = mapping.grade, mapping.basis_probability
            row.approved_by, row.approved_at, row.approved_wording_hash = actor, now, market.wording_hash
            _settle(row, actor=actor, reason=reason or "read and approved", now=now)
        Mapping.objects.bulk_update(rows, _CHANGED, batch_size=500)
    log.info("mappings approved", market=market.slug, count=len(rows), by=actor)
    return rows


def mappings_decline(
    mapping_id: int, *, reason: str, actor: str, now: datetime, with_same: bool = False
) -> list[Mapping]:
    """Say no: no search proposes the market for the product again before its wording changes."""
    if not reason.strip():
        raise Refused("reason: say why the mapping is declined", field="reason")
    with transaction.atomic():
        mapping = _locked(mapping_id)
        if mapping.state == Mapping.State.DECLINED:
            raise Refused(f"state: it was declined already ({mapping.reason})", field="state")
        rows = [mapping, *(_same_proposals(mapping) if with_same else [])]
        for row in rows:
            row.state = Mapping.State.DECLINED
            row.read_wording_hash = mapping.instrument.wording_hash
            _settle(row, actor=actor, reason=reason.strip(), now=now)
        Mapping.objects.bulk_update(rows, _CHANGED, batch_size=500)
        decisions_withdraw(mapping.instrument, why=f"the mapping was declined: {reason}", now=now)
    return rows


def mapping_suspend(
    mapping_id: int, *, reason: str, actor: str, now: datetime, kind: Suspension = Suspension.PERSON
) -> Mapping:
    """Buy no more through a mapping; what is held stays held and may be sold. A person resumes or approves it again.

    Decisions to buy that nobody has sent yet are withdrawn when this was the market's last approved mapping.
    """
    if not reason.strip():
        raise Refused("reason: say why the mapping is suspended", field="reason")
    with transaction.atomic():
        mapping = _locked(mapping_id)
        if mapping.state not in (Mapping.State.APPROVED, Mapping.State.SUSPENDED):
            raise Refused(
                f"state: it is {mapping.state}; only an approved mapping can be suspended", field="state"
            )
        mapping.state = Mapping.State.SUSPENDED
        mapping.suspended_kind = kind.value
        mapping.suspended_reason = reason.strip()[:300]
        mapping.suspended_at = mapping.suspended_at or now
        mapping.changed_by, mapping.reason = actor, reason.strip()[:300]
        mapping.save()
        decisions_withdraw(mapping.instrument, why=f"the mapping was suspended: {reason}", now=now)
    log.warning("mapping suspended", mapping=mapping.pk, kind=kind.value, reason=reason, by=actor)
    return mapping


def mapping_resume(mapping_id: int, *, reason: str, actor: str, now: datetime) -> Mapping:
    """Trade through a suspended mapping again, on the wording that was approved.

    The machine (actor SYSTEM) may do so only for a passing cause; the database holds it to that. Raises Refused when
    the wording is another: then it must be read and approved.
    """
    with transaction.atomic():
        mapping = _locked(mapping_id)
        if mapping.state != Mapping.State.SUSPENDED:
            raise Refused(f"state: it is {mapping.state}, not suspended", field="state")
        if actor == SYSTEM and Suspension(mapping.suspended_kind) not in PASSING:
            raise Refused(
                f"state: suspended for {mapping.suspended_kind}, which needs a person", field="state"
            )
        if mapping.approved_wording_hash != mapping.instrument.wording_hash:
            raise Refused(
                "wording: it is not the one that was approved; read it and approve the mapping again",
                field="wording",
            )
        if mapping.instrument.closed:
            raise Refused(f"instrument: the market {mapping.instrument.slug} is closed", field="instrument")
        mapping.state = Mapping.State.APPROVED
        _settle(mapping, actor=actor, reason=reason, now=now)
        mapping.save()
    log.info("mapping resumed", mapping=mapping.pk, reason=reason, by=actor)
    return mapping


def decisions_withdraw(instrument: Instrument, *, why: str, now: datetime) -> int:
    """End the open decisions to buy `instrument` that nobody has sent, unless another mapping still allows them.

    What is on the wire stays with the resolver; the database refuses every further send of it.
    """
    approved = Mapping.objects.filter(instrument=instrument, state=Mapping.State.APPROVED)
    if approved.filter(approved_wording_hash=instrument.wording_hash).exists():
        return 0
    wanted = Intent.objects.filter(
        instrument=instrument, purpose=Intent.Purpose.OPEN, state=Intent.State.OPEN
    )
    withdrawn = 0
    for intent_id in list(wanted.values_list("pk", flat=True)):
        with transaction.atomic():
            Intent.objects.select_for_update().get(pk=intent_id)
            Order.objects.filter(intent_id=intent_id, state="PREPARED").update(
                state="ABORTED", reason=why[:300]
            )
            withdrawn += intent_finish(intent_id, state=Intent.State.ABANDONED, outcome=why, now=now)
    return withdrawn


_CHANGED = [
    "state", "grade", "basis_probability", "approved_by", "approved_at", "approved_wording_hash", "read_wording_hash",
    "suspended_kind", "suspended_reason", "suspended_at", "reason", "changed_by", "updated_at",
]  # fmt: skip


def _locked(mapping_id: int) -> Mapping:
    rows = Mapping.objects.select_for_update(of=("self",)).select_related("instrument", "product")
    return rows.get(pk=mapping_id)


def _settle(row: Mapping, *, actor: str, reason: str, now: datetime) -> None:
    """Note who and why, and that nothing of an earlier suspension is left."""
    row.suspended_kind, row.suspended_reason, row.suspended_at = "", "", None
    row.changed_by, row.reason, row.updated_at = actor, reason[:300], now


def _same_proposals(mapping: Mapping) -> list[Mapping]:
    return list(alike(mapping).select_for_update(of=("self",)).order_by("pk"))


def _check_judgement(grade: str, basis_probability: Decimal) -> None:
    if grade not in Mapping.Grade.values:
        raise Refused(
            f"grade: {grade!r} is unknown; use one of {', '.join(Mapping.Grade.values)}", field="grade"
        )
    if grade == Mapping.Grade.NONE:
        raise Refused(
            "grade: a mapping graded `none` is no hedge; grade it direct or proxy, or decline it",
            field="grade",
        )
    if not Decimal(0) < basis_probability <= Decimal(1):
        raise Refused("basis_probability: give a probability above 0 and up to 1", field="basis_probability")
