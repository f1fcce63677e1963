"""Which slices a sale closes: those of ended policies, then equal parts of everybody's when too much is held."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from django.db import connection

from hedging.domain.attribution import attribute_capped
from tonsurance.kernel.money import from_micro, to_micro

_OPEN = """
    SELECT h.id, h.size - h.closed_size, p.status = 'active'
    FROM hedging_hedgeposition h JOIN policies_policy p ON p.id = h.policy_id
    WHERE h.instrument_id = %s AND h.status = 'open' ORDER BY h.id"""


def slices_to_close(instrument_row: int, *, ended: Decimal, excess: Decimal) -> list[tuple[int, Decimal]]:
    """(hedge position id, units) for a sale of `ended` units of ended policies and `excess` units of those in force.

    Units that belong to no slice are sold without one, so the sizes may add up to less.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [instrument_row])
        rows = cursor.fetchall()
    return _part([row for row in rows if not row[2]], ended) + _part([row for row in rows if row[2]], excess)


def _part(rows: list[tuple[int, Decimal, bool]], units: Decimal) -> list[tuple[int, Decimal]]:
    wanted = min(to_micro(units), sum(to_micro(row[1]) for row in rows))
    if wanted <= 0:
        return []
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    open_units = np.array([to_micro(row[1]) for row in rows], dtype=np.int64)
    shares = attribute_capped(wanted, open_units, ids)
    return [(row[0], from_micro(share)) for row, share in zip(rows, shares.tolist(), strict=True) if share]
