"""Which instruments' books are worth a stream: everything mapped, and everything held."""

from __future__ import annotations

from hedging.models import Mapping, Position


def instruments_streamed() -> set[int]:
    """Row ids of instruments with an active mapping, approved or waiting for approval, and of those held."""
    mapped = Mapping.objects.filter(is_active=True).values_list("instrument_id", flat=True)
    held = Position.objects.filter(size__gt=0).values_list("instrument_id", flat=True)
    return set(mapped) | set(held)
