"""What the home page asks besides the report's figures: limits, breakers, disagreements, recent runs and orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from hedging.models import Breaker, Cycle, Discrepancy, Intent, Order, RiskBucket
from tonsurance.kernel.money import ZERO
from tonsurance.plumbing.columns import MoneyField

CYCLES_SHOWN = 48
ORDERS_SHOWN = 8

# The same sum as the send gate makes in the database (migrations/0002_rules.sql), for every cap in one statement.
_AT_RISK = """
    SELECT coalesce(sum(parts.usd), 0) FROM (
        SELECT venue_id, notional_usd + fee_usd_max AS usd FROM hedging_order
            WHERE side = 'BUY' AND state IN ('SENDING', 'UNKNOWN', 'MANUAL', 'ACKED', 'PARTIAL')
        UNION ALL
        SELECT f.venue_id, f.notional_usd + f.fee_usd FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id
            WHERE f.side = 'BUY' AND f.settlement IN ('matched', 'mined', 'retrying')
              AND o.state NOT IN ('SENDING', 'UNKNOWN', 'MANUAL', 'ACKED', 'PARTIAL')
        UNION ALL
        SELECT venue_id, cost_usd FROM hedging_position
    ) AS parts
    WHERE hedging_riskbucket.code = 'global' OR hedging_riskbucket.code = 'venue:' || parts.venue_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitUse:
    """One cap and what is at risk under it: live orders at worst case, unsettled trades, cost of what is held."""

    code: str
    cap_usd: Decimal
    at_risk_usd: Decimal

    @property
    def share(self) -> Decimal:
        """At risk / cap; 1 is all of it."""
        return self.at_risk_usd / self.cap_usd if self.cap_usd else Decimal(0)

    @property
    def left_usd(self) -> Decimal:
        return self.cap_usd - self.at_risk_usd


@dataclass(frozen=True, kw_only=True, slots=True)
class CyclePoint:
    """One finished run, for the chart."""

    cycle_id: int
    label: str
    required_usd: Decimal
    planned_usd: Decimal
    unhedged_usd: Decimal


def buckets_with_use(rows: QuerySet[RiskBucket]) -> QuerySet[RiskBucket]:
    """Caps with `at_risk_usd`, summed in the same query."""
    return rows.annotate(at_risk_usd=RawSQL(_AT_RISK, [], output_field=MoneyField()))  # noqa: S611  a constant of this file


def limit_use(row: Any) -> LimitUse:
    """The use of one cap that `buckets_with_use` read."""
    return LimitUse(code=row.code, cap_usd=row.cap_usd, at_risk_usd=row.at_risk_usd)


def limits_used() -> list[LimitUse]:
    """Every cap with its use, in one query."""
    return [limit_use(row) for row in buckets_with_use(RiskBucket.objects.order_by("code"))]


def breakers_not_closed() -> Sequence[Breaker]:
    """Switches that stop something now."""
    return list(Breaker.objects.exclude(state=Breaker.State.CLOSED).order_by("scope"))


def discrepancies_open_count() -> int:
    """Disagreements with the venues that nobody has explained."""
    return Discrepancy.objects.filter(state=Discrepancy.State.OPEN).count()


def intents_parked_count() -> int:
    """Decisions that wait for a person."""
    return Intent.objects.filter(state=Intent.State.PARKED).count()


def orders_recent() -> Sequence[Order]:
    """The newest orders; their ids sort by creation."""
    rows = Order.objects.select_related("instrument", "venue").defer("payload", "payload_sha")
    return list(rows.order_by("-id")[:ORDERS_SHOWN])


def orders_in_doubt() -> Sequence[Order]:
    """Orders without a definitive answer, the oldest first."""
    rows = Order.objects.filter(state__in=["UNKNOWN", "MANUAL"]).select_related("instrument", "venue")
    return list(rows.defer("payload", "payload_sha").order_by("id")[:50])


def cycle_points() -> list[CyclePoint]:
    """The last finished runs, oldest first."""
    rows = (
        Cycle.objects.filter(state=Cycle.State.DONE)
        .exclude(mode=Cycle.Mode.DRY_RUN)
        .order_by("-id")[:CYCLES_SHOWN]
    )
    ids = [row.pk for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cycle_id, sum(unfilled_usd) FROM hedging_cycleleg WHERE cycle_id = ANY(%s) GROUP BY cycle_id",
            [ids],
        )
        unhedged: dict[int, Decimal] = dict(cursor.fetchall())
    return [
        CyclePoint(
            cycle_id=row.pk,
            label=f"{row.as_of:%H:%M}",
            required_usd=row.required_usd,
            planned_usd=row.planned_usd,
            unhedged_usd=unhedged.get(row.pk, ZERO),
        )
        for row in reversed(rows)
    ]
