"""One reading of all that a cycle decides on: exposure, mappings, holdings, limits. The caller fetches the books."""

from __future__ import annotations

from collections.abc import Mapping as Mappings
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Q

from hedging.domain.sizing import SizingMode
from hedging.domain.views import Grade, MappedInstrument, MarketView, PlanLimits, ProductDemand, VenueView
from hedging.models import HeldShare, Mapping, Position
from hedging.selectors.holdings import holdings_read
from policies.selectors.exposure import exposure_by_product
from policies.selectors.products import products_of
from venues.selectors.instruments import instruments_of, terms_of
from venues.selectors.venues import venues_all
from venues.services.books import FetchedBook

if TYPE_CHECKING:
    from venues.models import Instrument


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database said, before any book was asked for. `instruments` are those worth a book, by row id."""

    demands: tuple[ProductDemand, ...]
    mappings: tuple[MappedInstrument, ...]
    instruments: dict[int, Instrument]
    venues: dict[str, VenueView]


def exposures_read() -> tuple[ProductDemand, ...]:
    """Every product with cover in force, as the plan needs it; two queries."""
    kept = {key: row for key, row in exposure_by_product().items() if row.coverage_usd > 0}
    return tuple(
        ProductDemand(
            product_id=product.pk,
            coverage_type=product.coverage_type,
            chain=product.chain,
            stablecoin=product.stablecoin,
            coverage_usd=kept[product.pk].coverage_usd,
            policies_count=kept[product.pk].policies_count,
            hedge_ratio=product.hedge_ratio,
            sizing_mode=SizingMode(product.sizing_mode),
            life=product.life,
        )
        for product in products_of(kept)
    )


def reading_take(with_gateway: frozenset[str]) -> Reading:
    """Read demands, mappings, the instruments that need a book, and the venues."""
    demands = exposures_read()
    held = _instruments_held()
    # A mapping of what we hold is needed even when its product has no policy left: that is when it must be sold.
    wanted = Q(product_id__in=[demand.product_id for demand in demands]) | Q(instrument_id__in=list(held))
    found = Mapping.objects.filter(wanted).select_related("instrument").defer("comparison")
    rows = list(found.order_by("product_id", "pk"))
    tradable = {row.instrument_id: row.instrument for row in rows if row.is_active}
    return Reading(
        demands=demands,
        mappings=tuple(_mapped(row) for row in rows),
        instruments=tradable | held,
        venues={
            venue.code: VenueView(
                code=venue.code,
                name=venue.name,
                has_gateway=venue.code in with_gateway,
                is_enabled=venue.is_enabled,
            )
            for venue in venues_all()
        },
    )


def view_of(
    reading: Reading, books: Mappings[int, FetchedBook], *, limits: PlanLimits, now: datetime
) -> MarketView:
    """The frozen view: `reading` with the books that were fetched for it and what we hold now."""
    known = instruments_of(_held_row_ids() | set(reading.instruments))
    names = {key: row.instrument_id for key, row in known.items()}
    return MarketView(
        as_of=now,
        demands=reading.demands,
        mappings=reading.mappings,
        books={names[row]: fetched.book for row, fetched in books.items()},
        books_received_at={names[row]: fetched.row.taken_at for row, fetched in books.items()},
        held=holdings_read(names),
        venues=reading.venues,
        limits=limits,
        # What is held must be sold even when its products have no cover, and so no mapping in the view, any more.
        terms={row.instrument_id: terms_of(row) for row in known.values()},
    )


def _mapped(row: Mapping) -> MappedInstrument:
    why = _blocked_because(row)
    return MappedInstrument(
        mapping_id=row.pk,
        product_id=row.product_id,
        terms=terms_of(row.instrument),
        grade=Grade(row.grade),
        basis_probability=row.basis_probability,
        # Suspended is a reason of its own: a person has agreed, and the market is not what it was.
        approved=row.state == Mapping.State.SUSPENDED or (row.is_active and not why),
        active=row.is_active,
        blocked_because=why,
    )


def _blocked_because(row: Mapping) -> str:
    """Why nothing may be bought through a mapping ("" when it may)."""
    if row.state == Mapping.State.SUSPENDED:
        return f"suspended: {row.suspended_reason}"
    if row.state == Mapping.State.DECLINED:
        return f"{row.changed_by} declined it: {row.reason}"
    if row.state != Mapping.State.APPROVED:
        return "nobody has approved it yet"
    if row.approved_wording_hash != row.instrument.wording_hash:
        return "the market's wording changed after it was approved; read it and approve again"
    return ""


def _instruments_held() -> dict[int, Instrument]:
    """Instruments that we hold: their bids are needed when something of them must be sold."""
    return instruments_of(Position.objects.filter(size__gt=0).values_list("instrument_id", flat=True))


def _held_row_ids() -> set[int]:
    return set(Position.objects.values_list("instrument_id", flat=True)) | set(
        HeldShare.objects.filter(open_size__gt=0).values_list("instrument_id", flat=True).distinct()
    )
