"""What the doctor asks of the book: how much of each kind of trouble there is, and how old the oldest of it is.

Counts and ages only, each by an index; judging them is hedging/services/diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import Count, F, Min, Q

from hedging.models import Breaker, Cycle, Discrepancy, Fill, Intent, Mapping, Order, ReconciliationRun
from hedging.models.fills import PROVISIONAL
from policies.selectors.exposure import exposure_by_product
from policies.selectors.products import products_of

VERIFIED_SOUND, VERIFIED_VIOLATED = "verify_sound", "verify_violated"
"""Slots that `manage.py verify` leaves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heap:
    """How many there are, and since when the oldest of them has been there (None for none)."""

    count: int
    oldest_at: datetime | None

    def oldest_s(self, *, now: datetime) -> float:
        """Age of the oldest, seconds; 0 for none."""
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LastRun:
    """When a venue was last compared without error, and what the newest comparison complained about."""

    good_at: datetime | None
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeCover:
    """Products with cover in force of one coverage type, and how many of them an approved mapping hedges."""

    coverage_type: str
    products_count: int
    mapped_count: int
    unmapped_usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingTrouble:
    """What is wrong with one approved mapping's market."""

    mapping_id: int
    market: str
    product: str


def orders_in_state(*states: str) -> Heap:
    """Orders in one of `states`, by when they were last sent, or made."""
    found = Order.objects.filter(state__in=states).aggregate(
        count=Count("pk"), sent=Min("sent_at"), made=Min("created_at")
    )
    return Heap(count=found["count"], oldest_at=found["sent"] or found["made"])


def intents_parked() -> Heap:
    """Decisions that wait for a person."""
    found = Intent.objects.filter(state=Intent.State.PARKED).aggregate(
        count=Count("pk"), oldest=Min("created_at")
    )
    return Heap(count=found["count"], oldest_at=found["oldest"])


def intents_overdue(*, before: datetime) -> Heap:
    """Decisions that should have been taken up before `before`, are still valid, and have no order under way."""
    live = Q(orders__state__in=["PREPARED", "SENDING", "UNKNOWN", "MANUAL", "ACKED", "PARTIAL"])
    found = (
        Intent.objects.filter(state=Intent.State.OPEN, next_attempt_at__lt=before)
        .exclude(live)
        .aggregate(count=Count("pk"), oldest=Min("next_attempt_at"))
    )
    return Heap(count=found["count"], oldest_at=found["oldest"])


def fills_provisional() -> Heap:
    """Trades that matched and have not settled."""
    found = Fill.objects.filter(settlement__in=PROVISIONAL).aggregate(
        count=Count("pk"), oldest=Min("matched_at")
    )
    return Heap(count=found["count"], oldest_at=found["oldest"])


def discrepancies_heap(*kinds: str) -> Heap:
    """Open disagreements with venues, of `kinds` or of all."""
    rows = Discrepancy.objects.filter(state=Discrepancy.State.OPEN)
    if kinds:
        rows = rows.filter(kind__in=kinds)
    found = rows.aggregate(count=Count("pk"), oldest=Min("first_seen_at"))
    return Heap(count=found["count"], oldest_at=found["oldest"])


def breakers_all() -> list[Breaker]:
    """Every switch."""
    return list(Breaker.objects.order_by("scope"))


def reconciliation_newest(venue_code: str) -> LastRun | None:
    """A venue's last good comparison, and the error of its newest finished one; None before the first."""
    runs = ReconciliationRun.objects.filter(venue_id=venue_code, finished_at__isnull=False).order_by("-pk")
    newest = runs.first()
    if newest is None:
        return None
    good = newest if not newest.error else runs.filter(error="").first()
    return LastRun(good_at=good.finished_at if good else None, error=newest.error)


def cycle_newest() -> Cycle | None:
    """The newest run that ended, dry ones left out."""
    rows = Cycle.objects.exclude(mode=Cycle.Mode.DRY_RUN).exclude(state=Cycle.State.RUNNING)
    return rows.order_by("-pk").first()


def cycle_running_since() -> datetime | None:
    """Since when a cycle runs; None when none does."""
    return Cycle.objects.filter(state=Cycle.State.RUNNING).values_list("as_of", flat=True).first()


def covers_by_type() -> list[TypeCover]:
    """Per coverage type with cover in force: its products, and those that have a way to be hedged."""
    exposure = {key: row for key, row in exposure_by_product().items() if row.coverage_usd > 0}
    mapped = set(
        Mapping.objects.filter(state=Mapping.State.APPROVED).values_list("product_id", flat=True).distinct()
    )
    types: dict[str, list[int]] = {}
    for product in products_of(exposure):
        types.setdefault(str(product.coverage_type), []).append(product.pk)
    return [
        TypeCover(
            coverage_type=name,
            products_count=len(keys),
            mapped_count=sum(key in mapped for key in keys),
            unmapped_usd=sum((exposure[key].coverage_usd for key in keys if key not in mapped), Decimal(0)),
        )
        for name, keys in sorted(types.items())
    ]


def mappings_suspended() -> dict[str, int]:
    """Suspended mappings by the kind of their reason."""
    rows = Mapping.objects.filter(state=Mapping.State.SUSPENDED).order_by()
    return dict(rows.values_list("suspended_kind").annotate(Count("pk")))


def mappings_proposed_count() -> int:
    """Proposals that nobody has read yet."""
    return Mapping.objects.filter(state=Mapping.State.PROPOSED).count()


def mappings_approved_trouble(
    *, ends_before: datetime, read_before: datetime
) -> dict[str, list[MappingTrouble]]:
    """Approved mappings whose market has changed its wording, closed, ends soon, or was not read lately."""
    approved = Mapping.objects.filter(state=Mapping.State.APPROVED).select_related("instrument", "product")
    kinds = {
        "wording": ~Q(approved_wording_hash=F("instrument__wording_hash")),
        "closed": Q(instrument__closed=True) | Q(instrument__accepting_orders=False),
        "ending": Q(instrument__end_at__lt=ends_before),
        "unread": Q(instrument__refreshed_at__lt=read_before),
    }
    return {
        kind: [
            MappingTrouble(
                mapping_id=row.pk,
                market=row.instrument.slug or row.instrument.instrument_id[:12],
                product=str(row.product),
            )
            for row in approved.filter(condition).order_by("pk")
        ]
        for kind, condition in kinds.items()
    }


def mapping_of_a_book(venue_code: str) -> tuple[str, str] | None:
    """(instrument id, market) of one approved mapping at a venue; None without any."""
    row = (
        Mapping.objects.filter(state=Mapping.State.APPROVED, instrument__venue_id=venue_code)
        .select_related("instrument")
        .order_by("-instrument__accepting_orders", "?")
        .first()
    )
    return (row.instrument.instrument_id, row.instrument.slug) if row else None


def slot_holder(job: str) -> str:
    """Which process claimed the newest slot of `job` ("" for none)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claimed_by FROM plumbing_jobslot WHERE job = %s ORDER BY slot DESC LIMIT 1", [job]
        )
        row = cursor.fetchone()
    return row[0] if row else ""
