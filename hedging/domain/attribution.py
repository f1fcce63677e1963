"""How a trade is divided among those it was made for: whole micro-units, nothing lost, nothing invented.

Largest remainder (Hamilton's method): everybody gets the whole part of the exact quota, the units left over
go one by one to the largest fractions, ties to the smallest id. Each fill is divided for itself: a later fill
never changes what an earlier one gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tonsurance.kernel.errors import Broken

Units: TypeAlias = NDArray[np.int64]

_TOTAL_BOUND = 2**62
# Below this a float quotient is less than one away from the exact one (three roundings of 2**-53 each).
_QUOTA_BOUND = 2**50
_INT64_MAX = 2**63 - 1


def attribute(total_units: int, weights: Units, ids: Units) -> Units:
    """Divide `total_units` by `weights`; element i of the answer belongs to `ids[i]`.

    `ids` decide ties and need not be sorted. The answer adds up to `total_units`, and each part is the quota
    rounded down or that plus one; weight zero gets nothing. Raises ValueError for negative input, for unequal
    lengths, for an id that comes twice, and for a total above zero with nobody to give it to.
    """
    weights, ids, largest = _checked(total_units, weights, ids)
    if total_units == 0 or len(weights) == 0:
        return np.zeros(len(weights), dtype=np.int64)
    order = None if bool((ids[:-1] < ids[1:]).all()) else np.argsort(ids, kind="stable")
    sorted_weights = weights if order is None else weights[order]
    if order is not None and bool(np.any(np.diff(ids[order]) == 0)):
        raise ValueError("ids: each may come once only")
    parts = _divide(total_units, sorted_weights, largest=largest)
    if order is None:
        return parts
    unsorted = np.empty_like(parts)
    unsorted[order] = parts
    return unsorted


def attribute_exact(total_units: int, weights: Sequence[int]) -> list[int]:
    """The same division in unbounded integers, ties to the first: what `attribute` is measured against."""
    whole = sum(weights)
    if total_units == 0:
        return [0] * len(weights)
    if whole == 0:
        raise ValueError("there is nobody to give the units to: all weights are zero")
    parts, remainders = [], []
    for weight in weights:
        quotient, remainder = divmod(weight * total_units, whole)
        parts.append(quotient)
        remainders.append(remainder)
    left = total_units - sum(parts)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:left]:
        parts[index] += 1
    return parts


def attribute_capped(total_units: int, open_units: Units, ids: Units) -> Units:
    """Divide a sale among open slices in proportion to what is open; never more of a slice than is open.

    A quota is at most the slice itself when the total is at most their sum, and a rounded quota cannot pass a
    whole number. Raises ValueError when more was sold than is open.
    """
    if total_units > sum_exact(open_units):
        raise ValueError(f"{total_units} units sold, but only {sum_exact(open_units)} are open")
    parts = attribute(total_units, open_units, ids)
    if bool(np.any(parts > np.asarray(open_units))):
        raise Broken("a slice was given more of a sale than it has open")
    return parts


def sum_exact(units: Units) -> int:
    """The sum as an unbounded integer, where int64 would wrap."""
    values = np.asarray(units, dtype=np.int64)
    if len(values) == 0:
        return 0
    if float(values.sum(dtype=np.float64)) < _TOTAL_BOUND:
        return int(values.sum(dtype=np.int64))
    return sum(values.tolist())


def _checked(total_units: int, weights: Units, ids: Units) -> tuple[Units, Units, int]:
    """Both as int64, and the largest weight."""
    weights, ids = np.asarray(weights), np.asarray(ids)
    if weights.dtype.kind not in "iu" or ids.dtype.kind not in "iu":
        if len(weights):
            raise ValueError("weights and ids are whole numbers, never floats")
        weights, ids = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if len(weights) != len(ids):
        raise ValueError(f"{len(weights)} weights for {len(ids)} ids")
    weights, ids = weights.astype(np.int64, copy=False), ids.astype(np.int64, copy=False)
    if not 0 <= total_units <= _INT64_MAX:
        raise ValueError(f"units are a whole number from 0 to 2**63-1, not {total_units}")
    # Read without a sign, a negative weight is larger than any other.
    largest = int(weights.view(np.uint64).max()) if len(weights) else 0
    if largest > _INT64_MAX:
        raise ValueError("no weight may be negative")
    if total_units > 0 and largest == 0:
        raise ValueError("there is nobody to give the units to: all weights are zero")
    return weights, ids, largest


def _divide(total: int, weights: Units, *, largest: int) -> Units:
    whole = int(weights.sum()) if largest * len(weights) < _TOTAL_BOUND else sum_exact(weights)
    largest_quota = largest * total // whole
    if total >= _TOTAL_BOUND or whole >= _TOTAL_BOUND or largest_quota >= _QUOTA_BOUND:
        return np.array(attribute_exact(total, weights.tolist()), dtype=np.int64)
    parts = (weights * (total / whole)).astype(np.int64)
    # weight*total and part*whole overflow, but their difference fits in 64 bits, and wrap-around arithmetic keeps it.
    remainders = weights * np.int64(total)
    remainders -= parts * np.int64(whole)
    if _any_outside(remainders, whole):
        low, high = remainders < 0, remainders >= whole
        parts += high.astype(np.int64) - low.astype(np.int64)
        remainders += np.int64(whole) * (low.astype(np.int64) - high.astype(np.int64))
        if _any_outside(remainders, whole):
            raise Broken("a quota was more than one away from its float quotient")
    left = total - int(parts.sum())
    if not 0 <= left < len(weights):
        raise Broken(f"{left} units left over among {len(weights)}")
    if left:
        _add_one_to_largest(parts, remainders, left)
    return parts


def _any_outside(remainders: Units, whole: int) -> bool:
    """Whether one is negative or not below `whole`; read without a sign, a negative one is above everything."""
    return int(remainders.view(np.uint64).max()) >= whole


def _add_one_to_largest(parts: Units, remainders: Units, count: int) -> None:
    """Add one to the parts of the `count` largest remainders; among equals to the first."""
    threshold = np.partition(remainders, len(remainders) - count)[len(remainders) - count]
    chosen = remainders >= threshold
    surplus = int(np.count_nonzero(chosen)) - count
    if surplus:
        chosen[np.flatnonzero(remainders == threshold)[-surplus:]] = False
    parts += chosen
