"""Who may be hedged by what: proposing, approving and suspending mappings. Nothing trades through an unapproved one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from hedging.models import Mapping
from policies.selectors.products import product_key_of, products_of
from tonsurance.kernel.errors import Refused
from venues.domain.gateway import LookupFailed
from venues.services.instruments import instruments_refresh

if TYPE_CHECKING:
    from policies.models import Product
    from venues.models import Instrument


def mapping_propose(
    *,
    product: Product,
    instrument: Instrument,
    grade: str,
    basis_probability: Decimal,
    pays_on: str,
    internal_event_id: str = "",
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
    )


def mapping_approve(mapping_id: int, *, actor: str, now: datetime) -> Mapping:
    """Allow trading through a mapping, on the wording that its market has now."""
    with transaction.atomic():
        mapping = (
            Mapping.objects.select_for_update(of=("self",)).select_related("instrument").get(pk=mapping_id)
        )
        if mapping.grade == Mapping.Grade.NONE:
            raise Refused(
                "grade: a mapping graded `none` is no hedge; grade it direct or proxy first", field="grade"
            )
        if mapping.instrument.closed:
            raise Refused(
                f"instrument: the market {mapping.instrument.slug} is closed; choose an open one",
                field="instrument",
            )
        mapping.approved_by = actor
        mapping.approved_at = now
        mapping.approved_wording_hash = mapping.instrument.wording_hash
        mapping.suspended_reason = ""
        mapping.is_active = True
        mapping.save()
    return mapping


def mapping_suspend(mapping_id: int, *, reason: str, actor: str, now: datetime) -> Mapping:
    """Stop trading through a mapping. What is held stays held; a person approves it again."""
    if not reason.strip():
        raise Refused("reason: say why the mapping is suspended", field="reason")
    with transaction.atomic():
        mapping = Mapping.objects.select_for_update().get(pk=mapping_id)
        mapping.suspended_reason = f"{reason.strip()} ({actor}, {now:%Y-%m-%d %H:%M} UTC)"[:200]
        mapping.approved_at = None
        mapping.approved_by = ""
        mapping.approved_wording_hash = ""
        mapping.save()
    return mapping
