"""Where our rows and a venue's reports differ: a pure comparison, with both sides as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from venues.domain.gateway import FillReport, PositionReport, Settlement

POSITION_DUST = Decimal("0.01")
"""Outcome tokens are matched in steps of 0.01 and truncated on chain; a smaller gap is rounding, not a break."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement: its kind, what it is about, and what each side says."""

    kind: str
    subject: str
    ours: str
    theirs: str


def compare_fills(
    ours: Mapping[tuple[str, str], tuple[str, Decimal, Decimal]], reports: Iterable[FillReport]
) -> list[Difference]:
    """Compare fills by (order, trade): `ours` maps to (side, size, price).

    A trade that the venue reports as failed and that we never saw is no difference: it never happened.
    """
    found = []
    theirs = {(item.client_order_id, item.venue_trade_id): item for item in reports}
    for key, (side, size, price) in ours.items():
        report = theirs.get(key)
        mine = f"{side} {size} at {price}"
        if report is None:
            found.append(Difference("EXTRA_FILL", key[1], mine, "no such trade"))
        elif (report.side.value, report.size, report.price) != (side, size, price):
            found.append(
                Difference("FILL_MISMATCH", key[1], mine, f"{report.side} {report.size} at {report.price}")
            )
    for key, report in theirs.items():
        if key not in ours and report.settlement != Settlement.FAILED:
            found.append(
                Difference(
                    "MISSING_FILL", key[1], "no such fill", f"{report.side} {report.size} at {report.price}"
                )
            )
    return found


def foreign_orders(venue_ids: Iterable[str], our_ids: set[str]) -> list[Difference]:
    """Orders that the venue has under our account and that we never made."""
    return [
        Difference("FOREIGN_ORDER", order_id, "no such order", "the venue has it under our account")
        for order_id in sorted(set(venue_ids) - our_ids)
    ]


def compare_positions(ours: Mapping[str, Decimal], reports: Iterable[PositionReport]) -> list[Difference]:
    """Compare confirmed sizes per instrument; below POSITION_DUST is rounding. A missing report counts as zero."""
    theirs = {item.instrument_id: item.size for item in reports}
    return [
        Difference("POSITION_DIFF", instrument_id, str(size), str(theirs.get(instrument_id, Decimal(0))))
        for instrument_id, size in ours.items()
        if abs(size - theirs.get(instrument_id, Decimal(0))) >= POSITION_DUST
    ]
