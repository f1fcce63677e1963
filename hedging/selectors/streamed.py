"""Which instruments' books are worth a stream: what we hold, what we may buy, then what waits for a person."""

from __future__ import annotations

from hedging.models import Mapping, Position


def instruments_streamed() -> list[int]:
    """Row ids, the most important first: held, approved, suspended, proposed; declined ones are not."""
    held = Position.objects.filter(size__gt=0).order_by("instrument_id")
    mapped = dict(
        Mapping.objects.exclude(state=Mapping.State.DECLINED)
        .values_list("instrument_id", "state")
        .order_by("pk")
    )
    approved = set(Mapping.objects.filter(is_active=True).values_list("instrument_id", flat=True))
    rest = sorted(mapped, key=lambda row: (row not in approved, mapped[row] != Mapping.State.SUSPENDED, row))
    return list(dict.fromkeys([*held.values_list("instrument_id", flat=True), *rest]))
