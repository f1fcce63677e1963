"""A policy's slice of a purchase keeps what it was bought for, and what was sold of it stays sold."""

from __future__ import annotations

import pytest

from hedging.models import HedgePosition
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def held() -> HedgePosition:
    """A policy's 1,000 units."""
    return make.hedge(make.policy(make.product()), make.instrument())


@pytest.mark.parametrize(
    "change",
    [
        "id = id + 1",
        "policy_id = policy_id + 1",
        "product_id = product_id + 1",
        "venue_id = 'allianz'",
        "instrument_id = instrument_id + 1",
        "attribution_id = attribution_id + 1",
        "size = size + 0.00000001",
        "hedge_amount_usd = hedge_amount_usd - 0.000001",
        "entry_price = entry_price + 0.0000000001",
        "entry_time = now()",
        "created_at = now()",
    ],
)
def test_what_a_hedge_was_bought_for_never_changes(held: HedgePosition, change: str) -> None:
    with refused("HB080"):
        sql(f"UPDATE hedging_hedgeposition SET {change} WHERE id = %s", held.pk)


def test_what_was_sold_stays_sold(held: HedgePosition) -> None:
    sql("UPDATE hedging_hedgeposition SET closed_size = 400, proceeds_usd = 20 WHERE id = %s", held.pk)
    with refused("HB081"):
        sql("UPDATE hedging_hedgeposition SET closed_size = 399.99999999 WHERE id = %s", held.pk)
    held.refresh_from_db()
    make.closed(held, proceeds_usd="50")
    with refused("HB081"):
        sql("UPDATE hedging_hedgeposition SET status = 'open', close_time = NULL WHERE id = %s", held.pk)
