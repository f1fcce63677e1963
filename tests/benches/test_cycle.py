"""The cycle's benches do the work that they measure, and loosely keep their goals at a small size."""

from __future__ import annotations

import pytest

from tests.benches import cycle, scale
from tests.benches.result import BenchScale


@pytest.mark.django_db(transaction=True)
def test_the_whole_cycle_equals_the_work_by_hand() -> None:
    result = cycle.run(BenchScale(policies=3_000, rounds=1))

    assert set(result.ratios) == {goal.name for goal in cycle.GOALS}
    assert result.ratios[cycle.MEMORY.name] < 1
    # A busy machine slows everything; ten times the venue's least time would be another cycle than this.
    assert result.ratios[cycle.ORDERS.name] < 10


@pytest.mark.django_db(transaction=True)
def test_the_path_to_the_orders_does_not_grow_like_the_book() -> None:
    result = scale.run(BenchScale(policies=30_000, rounds=1))

    assert result.ratios[scale.BEFORE.name] < 0.9
