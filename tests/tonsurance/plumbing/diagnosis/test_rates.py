"""An empty budget is named; asking takes nothing of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.buckets import bucket_empty, bucket_ensure, bucket_take
from tonsurance.plumbing.diagnosis.rates import rates_ask
from tonsurance.plumbing.models import RateBucket

pytestmark = pytest.mark.django_db


def test_a_budget_that_the_venue_closed_is_named_and_no_token_is_taken() -> None:
    bucket_ensure("polymarket.orders", capacity=Decimal(100), rate=Decimal("0.001"))
    bucket_ensure("polymarket.reads", capacity=Decimal(100), rate=Decimal("0.001"))
    bucket_empty("polymarket.orders", seconds=60)
    before = list(RateBucket.objects.order_by("name").values())

    (found,) = rates_ask(now=utc_now())

    assert (found.level.value, found.code) == ("warning", "rate_budgets")
    assert found.sentence.startswith("polymarket.orders: 0 of 100 requests left, closed for another ")
    assert list(RateBucket.objects.order_by("name").values()) == before


def test_budgets_with_room_are_one_good_finding() -> None:
    bucket_ensure("polymarket.orders", capacity=Decimal(100), rate=Decimal(1))
    assert bucket_take("polymarket.orders", tokens=89)
    (found,) = rates_ask(now=utc_now())
    assert (found.level.value, found.sentence) == ("ok", "All 1 rate budgets have room")
