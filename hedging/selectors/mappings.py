"""Questions about mappings: how many stand how, and which proposals say the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet

from hedging.domain.mappings import PASSING, MappingState
from hedging.models import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingCounts:
    """Mappings by state. `needs_person`: suspended for a reason that does not pass by itself."""

    proposed: int
    approved: int
    suspended: int
    needs_person: int
    markets_waiting: int


def mapping_counts() -> MappingCounts:
    """All mappings, counted in one query."""
    proposed = Q(state=MappingState.PROPOSED)
    suspended = Q(state=MappingState.SUSPENDED)
    return MappingCounts(
        **Mapping.objects.aggregate(
            proposed=Count("pk", filter=proposed),
            approved=Count("pk", filter=Q(state=MappingState.APPROVED)),
            suspended=Count("pk", filter=suspended),
            needs_person=Count("pk", filter=suspended & ~Q(suspended_kind__in=sorted(PASSING))),
            markets_waiting=Count("instrument_id", filter=proposed, distinct=True),
        )
    )


def alike(mapping: Mapping) -> QuerySet[Mapping]:
    """Other proposals of the same market, for the same coverage type, that were compared with the same result."""
    return Mapping.objects.filter(
        instrument_id=mapping.instrument_id,
        state=MappingState.PROPOSED,
        product__coverage_type=mapping.product.coverage_type,
        read_wording_hash=mapping.read_wording_hash,
        comparison=mapping.comparison,
    ).exclude(pk=mapping.pk)


_BUYABLE = """
    SELECT m.instrument_id FROM hedging_mapping m JOIN venues_instrument i ON i.id = m.instrument_id
    WHERE m.instrument_id = ANY(%s) AND m.state = 'approved' AND m.approved_wording_hash = i.wording_hash
    ORDER BY m.id FOR SHARE OF m, i
"""


def instruments_hold_buyable(instrument_ids: Collection[int]) -> set[int]:
    """Those of `instrument_ids` that may be bought, held so until the caller's transaction ends.

    The same question as the database's own rule on intents asks: a suspension, or a new wording, waits or is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BUYABLE, [list(instrument_ids)])
        return {row[0] for row in cursor.fetchall()}
