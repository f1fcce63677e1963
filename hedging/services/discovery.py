"""Looks for markets that might hedge a coverage type, and proposes them; a person approves each, nobody else.

`find_depeg_markets` is the founding document's call; each coverage type has its kin. Running a search twice changes
nothing, and what a person declined comes back only when the market is worded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from hedging.domain.discovery import TAGS, Finding, Horizon, find, queries_for
from hedging.domain.mappings import Suspension
from hedging.models import Mapping
from hedging.services.breakers import SYSTEM
from policies.domain.catalogue import CoverageType
from policies.selectors.products import products_of
from policies.selectors.terms import policies_end_by
from tonsurance.kernel.errors import Refused
from tonsurance.plumbing.slots import slot_age_s, slot_claim
from venues.domain.gateway import LookupFailed
from venues.domain.listings import MarketListing
from venues.services.instruments import instruments_known, instruments_refresh
from venues.services.listings import listings_find
from venues.services.venues import venue_heard

if TYPE_CHECKING:
    from venues.models import Instrument

log = structlog.get_logger(__name__)

VENUE = "polymarket"
SEARCH_EVERY_S = 86_400
MOST_POLICIES = Decimal("0.9")
TERM_DAYS_UNKNOWN = 90
"""Assumed where no policy is in force: between the shortest term of 7 days and the longest of 365."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A finding and the search that led to it."""

    finding: Finding
    found_by: str


@dataclass(frozen=True, slots=True)
class Proposals:
    """What proposing did: new mappings, those whose market is worded anew, and how many stayed as they were."""

    created: list[Mapping] = field(default_factory=list)
    renewed: list[Mapping] = field(default_factory=list)
    unchanged: int = 0


def find_depeg_markets(*, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Markets on a fall of one of our coins. Changes nothing; raises LookupFailed without an answer."""
    return markets_find(CoverageType.DEPEG, now=now, venue_code=venue_code)


def find_smart_contract_markets(*, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Markets on thefts through exploits of contracts."""
    return markets_find(CoverageType.SMART_CONTRACT, now=now, venue_code=venue_code)


def find_bridge_markets(*, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Markets on thefts from bridges."""
    return markets_find(CoverageType.BRIDGE, now=now, venue_code=venue_code)


def find_oracle_markets(*, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Markets on exploits of price oracles."""
    return markets_find(CoverageType.ORACLE, now=now, venue_code=venue_code)


def find_cex_liquidation_markets(*, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Markets on the failure of centralised exchanges."""
    return markets_find(CoverageType.CEX_LIQUIDATION, now=now, venue_code=venue_code)


FINDERS: dict[CoverageType, Callable[..., list[Found]]] = {
    CoverageType.DEPEG: find_depeg_markets,
    CoverageType.SMART_CONTRACT: find_smart_contract_markets,
    CoverageType.BRIDGE: find_bridge_markets,
    CoverageType.ORACLE: find_oracle_markets,
    CoverageType.CEX_LIQUIDATION: find_cex_liquidation_markets,
}


def markets_find(coverage_type: CoverageType, *, now: datetime, venue_code: str = VENUE) -> list[Found]:
    """Every market that search and shelves give for `coverage_type`, judged; those that are no hedge say why."""
    listings = listings_find(venue_code, queries=queries_for(coverage_type), tags=TAGS[coverage_type])
    return listings_judge(listings.values(), coverage_type, horizon=horizon_read(now=now))


def listings_judge(
    listings: Iterable[tuple[MarketListing, str]], coverage_type: CoverageType, *, horizon: Horizon
) -> list[Found]:
    """Listings with what led to them, judged for one coverage type."""
    return [
        Found(finding=finding, found_by=found_by)
        for listing, found_by in listings
        for finding in find(listing, coverage_type, horizon=horizon)
    ]


def horizon_read(*, now: datetime) -> Horizon:
    """Today, and when nine of ten policies in force of each coverage type have ended."""
    ends = policies_end_by(MOST_POLICIES)
    unknown = now + timedelta(days=TERM_DAYS_UNKNOWN)
    return Horizon(
        today=now.date(), policies_end_on={kind: ends.get(kind, unknown).date() for kind in CoverageType}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What one search over several coverage types found and proposed. `failed`: types that got no answer, with why."""

    found: list[Found]
    proposals: Proposals
    failed: dict[CoverageType, str]

    @property
    def proposed(self) -> int:
        """Mappings that now wait for a person and did not before."""
        return len(self.proposals.created) + len(self.proposals.renewed)


def markets_search(
    *,
    now: datetime,
    coverage: Iterable[CoverageType] = tuple(CoverageType),
    venue_code: str = VENUE,
    is_dry: bool = False,
) -> Search:
    """Search for each coverage type and propose what is a hedge; a type without an answer hides no other.

    `is_dry`: find and judge, and write nothing.
    """
    found: list[Found] = []
    failed: dict[CoverageType, str] = {}
    total = Proposals()
    for kind in coverage:
        try:
            items = FINDERS[kind](now=now, venue_code=venue_code)
            made = Proposals() if is_dry else findings_propose(items, now=now, venue_code=venue_code)
        except (LookupFailed, Refused) as error:
            # Refused: our settings name no account there yet.
            venue_heard(venue_code, now=now, error=f"search for {kind}: {error}")
            failed[kind] = str(error)
            continue
        found += items
        total = Proposals(
            total.created + made.created, total.renewed + made.renewed, total.unchanged + made.unchanged
        )
    return Search(found=found, proposals=total, failed=failed)


def markets_search_due(*, now: datetime) -> int:
    """Search for the coverage types that had no answer yet today; return how many mappings now wait for a person."""
    due = [kind for kind in CoverageType if slot_age_s(f"find_markets:{kind}", now=now) >= SEARCH_EVERY_S]
    if not due:
        return 0
    search = markets_search(now=now, coverage=due)
    # Only an answer ends the day's search of a type: after silence the next hour tries again.
    for kind in due:
        if kind not in search.failed:
            slot_claim(f"find_markets:{kind}", every_s=SEARCH_EVERY_S, now=now)
    return search.proposed


def horizon_assumed(*, now: datetime) -> Horizon:
    """As `horizon_read` with no policy in force: for pages, which must not sort a million policies."""
    end = (now + timedelta(days=TERM_DAYS_UNKNOWN)).date()
    return Horizon(today=now.date(), policies_end_on=dict.fromkeys(CoverageType, end))


def findings_propose(found: Iterable[Found], *, now: datetime, venue_code: str = VENUE) -> Proposals:
    """Write a proposed mapping for each product of each finding that is a hedge.

    The terms of markets that are new to us, or worded anew, are read from the venue first; raises LookupFailed when it
    gives no answer, and nothing is proposed then.
    """
    hedges = [item for item in found if item.finding.products]
    instruments = _instruments(hedges, venue_code, now=now)
    fresh: list[Mapping] = []
    renewed: list[Mapping] = []
    unchanged = 0
    with transaction.atomic():
        known = {
            (row.product_id, row.instrument_id): row
            for row in Mapping.objects.select_for_update().filter(
                instrument_id__in=[row.pk for row in instruments.values()]
            )
        }
        for item in hedges:
            instrument = instruments.get(item.finding.outcome.instrument_id)
            # The rules changed between the search and the look at the terms: the next search reads both again.
            if instrument is None or instrument.wording_hash != item.finding.wording_hash:
                continue
            for product in products_of([key.number for key in item.finding.products]):
                row = known.get((product.pk, instrument.pk))
                if row is None:
                    row = Mapping(product=product, instrument=instrument, changed_by=SYSTEM)
                    _say(row, item, now=now)
                    known[product.pk, instrument.pk] = row
                    fresh.append(row)
                elif _renew(row, item, now=now):
                    renewed.append(row)
                else:
                    unchanged += 1
        Mapping.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    log.info("markets proposed", created=len(fresh), renewed=len(renewed), unchanged=unchanged)
    return Proposals(fresh, renewed, unchanged)


def _instruments(hedges: list[Found], venue_code: str, *, now: datetime) -> dict[str, Instrument]:
    wanted = {item.finding.outcome.instrument_id: item.finding.wording_hash for item in hedges}
    known = instruments_known(venue_code, instrument_ids=list(wanted))
    stale = [
        token for token, worded in wanted.items() if token not in known or known[token].wording_hash != worded
    ]
    if stale:
        known |= {
            row.instrument_id: row for row in instruments_refresh(venue_code, now=now, instrument_ids=stale)
        }
    return known


def _say(row: Mapping, item: Found, *, now: datetime) -> None:
    """Write what was found into a row that nobody has judged."""
    finding = item.finding
    row.state = Mapping.State.PROPOSED
    row.approved_by, row.approved_at, row.approved_wording_hash = "", None, ""
    row.grade = finding.grade.value
    row.basis_probability = finding.basis_probability
    row.pays_on = finding.pays_on
    _compared(row, item, now=now)


def _compared(row: Mapping, item: Found, *, now: datetime) -> None:
    row.comparison = item.finding.as_json()
    row.read_wording_hash = item.finding.wording_hash
    row.found_by, row.found_at = item.found_by[:200], now


def _renew(row: Mapping, item: Found, *, now: datetime) -> bool:
    """Bring an existing row up to the market's wording; False when there is nothing new to say to a person.

    What a person approved stays as they judged it: a changed wording suspends it, and this
    gives the comparison to read.
    """
    is_same_wording = row.read_wording_hash == item.finding.wording_hash
    if row.state == Mapping.State.APPROVED or (is_same_wording and row.comparison):
        return False
    if is_same_wording and row.state == Mapping.State.PROPOSED:
        _compared(row, item, now=now)
    elif row.state in (Mapping.State.PROPOSED, Mapping.State.DECLINED):
        was_declined = row.state == Mapping.State.DECLINED
        _say(row, item, now=now)
        row.changed_by = SYSTEM
        row.reason = "its market is worded anew" if was_declined else ""
    elif row.suspended_kind == Suspension.WORDING:
        _compared(row, item, now=now)
    else:
        return False
    row.save()
    return True
