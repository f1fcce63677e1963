"""Which slices a sale closes: those of ended policies, then equal parts of everybody's when too much is held."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from django.db import connection

from hedging.domain.attribution import attribute_capped
from tonsurance.kernel.money import from_micro, to_micro

_OPEN = """
    SELECT h.id, h.size - h.closed_size, h.closed_size, p.status = 'active'
    FROM hedging_hedgeposition h JOIN policies_policy p ON p.id = h.policy_id
    WHERE h.instrument_id = %s AND h.status = 'open' ORDER BY h.id"""


@dataclass(frozen=True, slots=True)
class SliceToClose:
    """`size` units of one hedge position, of which `closed_before` units are closed already."""

    hedge_position_id: int
    size: Decimal
    closed_before: Decimal


def slices_to_close(instrument_row: int, *, ended: Decimal, excess: Decimal) -> list[SliceToClose]:
    """What a sale of `ended` units of ended policies and `excess` units of those in force closes.

    Units that belong to no slice are sold without one, so the sizes may add up to less.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [instrument_row])
        rows = cursor.fetchall()
    return _part([row for row in rows if not row[3]], ended) + _part([row for row in rows if row[3]], excess)


def _part(rows: list[tuple[int, Decimal, Decimal, bool]], units: Decimal) -> list[SliceToClose]:
    wanted = min(to_micro(units), sum(to_micro(row[1]) for row in rows))
    if wanted <= 0:
        return []
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    open_units = np.array([to_micro(row[1]) for row in rows], dtype=np.int64)
    shares = attribute_capped(wanted, open_units, ids)
    return [
        SliceToClose(row[0], from_micro(share), row[2])
        for row, share in zip(rows, shares.tolist(), strict=True)
        if share
    ]
