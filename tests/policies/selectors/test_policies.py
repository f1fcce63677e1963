"""Weights for attribution: every policy in force of the products asked, in the order of ids, exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from policies.models import Policy
from policies.selectors import policies as selector
from policies.selectors.policies import policies_in_force_weights, policy_get
from policies.services.policies import policy_cancel
from tests.policies.conftest import NOW
from tonsurance.kernel.errors import Refused

pytestmark = pytest.mark.django_db


def test_weights_are_those_in_force_in_the_order_of_ids(
    sell: Callable[..., Policy], django_assert_num_queries: Any
) -> None:
    first = sell(external_id="a", stablecoin="DAI", coverage_usd=Decimal("1000.000001"))
    second = sell(external_id="b")
    gone = sell(external_id="c")
    third = sell(external_id="d", stablecoin="DAI", coverage_usd=Decimal("2000.5"))
    sell(external_id="e", stablecoin="GHO")
    policy_cancel(gone.pk, reason="test", actor="t", now=NOW)

    with django_assert_num_queries(1):
        weights = policies_in_force_weights([0, 2])

    assert weights.ids.tolist() == [first.pk, second.pk, third.pk]
    assert weights.product_ids.tolist() == [2, 0, 2]
    assert weights.coverage_micro.tolist() == [1_000_000_001, 100_000_000_000, 2_000_500_000]
    assert (weights.ids.dtype, weights.product_ids.dtype, weights.coverage_micro.dtype) == (
        np.int64,
        np.int16,
        np.int64,
    )


def test_no_policies_no_weights() -> None:
    weights = policies_in_force_weights([0])

    assert len(weights.ids) == len(weights.product_ids) == len(weights.coverage_micro) == 0


def test_chunks_by_id_change_nothing(sell: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        sell(external_id=f"p-{number}", coverage_usd=Decimal(1000 + number))
    whole = policies_in_force_weights([0])
    monkeypatch.setattr(selector, "_CHUNK", 2)

    chunked = policies_in_force_weights([0])

    assert chunked.ids.tolist() == whole.ids.tolist()
    assert chunked.coverage_micro.tolist() == whole.coverage_micro.tolist()


def test_a_policy_is_got_by_its_name(sell: Callable[..., Policy]) -> None:
    policy = sell()

    assert policy_get("sale-1").pk == policy.pk
    with pytest.raises(Refused) as caught:
        policy_get("nobody")
    assert caught.value.code == "not_found"
