"""All workers share one budget, and the venue's own count wins over ours."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connections

from tests import factories as make
from tests.desk import Desk
from tests.venues.adapters.polymarket.trading import BOOK, SLUG, order_for, strike, terms_of
from tonsurance.kernel.errors import Broken
from tonsurance.plumbing.models import RateBucket
from venues.adapters.polymarket.budgets import SIGNER_CANCELS, SIGNER_ORDERS
from venues.adapters.polymarket.gateway import Gateway
from venues.domain.budgets import BudgetKind, LimitReading
from venues.models import VenueLimit
from venues.registry import gateway_for
from venues.services.budgets import budget_note, budget_take

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def venue(desk: Desk) -> None:
    make.venue("polymarket")


@pytest.fixture
def gateway() -> Gateway:
    found = gateway_for("polymarket")
    assert isinstance(found, Gateway)
    return found


def left(bucket: str) -> Decimal:
    return RateBucket.objects.get(pk=f"polymarket: {bucket}").tokens


def tell(gateway: Gateway, reading: LimitReading) -> None:
    """As if an answer had said so."""
    gateway._client._readings.append(reading)
    budget_note("polymarket", gateway, now=NOW)


def test_sixty_orders_may_go_at_once_and_then_forty_a_second() -> None:
    assert [budget_take("polymarket", BudgetKind.BATCH, tokens=15) for _ in range(4)] == [0.0] * 4
    wait_s = budget_take("polymarket", BudgetKind.BATCH, tokens=15)

    # Fifteen tokens at forty a second; a little trickled in since.
    assert 0.2 < wait_s <= 0.375
    assert left("signer orders") < 5


def test_what_is_refused_takes_nothing_anywhere() -> None:
    budget_take("polymarket", BudgetKind.ORDER, tokens=60)
    before = left("ip POST /order")
    assert budget_take("polymarket", BudgetKind.ORDER, tokens=60) > 0

    assert left("ip POST /order") == before == Decimal(2_499)


def test_orders_leave_the_reserve_to_cancels_and_lookups() -> None:
    budget_take("polymarket", BudgetKind.LOOKUP)
    RateBucket.objects.filter(pk="polymarket: ip order book").update(tokens=900, rate=Decimal("0.000001"))

    assert budget_take("polymarket", BudgetKind.ORDER) > 0
    assert budget_take("polymarket", BudgetKind.BOOK) > 0
    assert budget_take("polymarket", BudgetKind.CANCEL, tokens=3) == 0.0
    assert budget_take("polymarket", BudgetKind.LOOKUP) == 0.0


def test_more_than_the_venue_ever_grants_is_our_own_fault() -> None:
    with pytest.raises(Broken):
        budget_take("polymarket", BudgetKind.ORDER, tokens=61)


def test_four_workers_together_get_no_more_than_there_is() -> None:
    budget_take("polymarket", BudgetKind.CANCEL)
    RateBucket.objects.filter(pk="polymarket: signer cancels").update(tokens=20, rate=Decimal("0.000001"))
    waits: list[float] = []

    def take() -> None:
        try:
            waits.extend(budget_take("polymarket", BudgetKind.CANCEL, tokens=3) for _ in range(5))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(waits) == 20
    assert waits.count(0.0) == 6


def test_the_venues_word_about_what_is_left_lowers_ours_and_never_raises_it(gateway: Gateway) -> None:
    budget_take("polymarket", BudgetKind.ORDER, tokens=20)
    RateBucket.objects.update(rate=Decimal("0.000001"))

    tell(gateway, LimitReading(SIGNER_ORDERS, remaining=Decimal(55)))
    assert left("signer orders") == Decimal(40)
    tell(gateway, LimitReading(SIGNER_ORDERS, remaining=Decimal(7)))
    assert left("signer orders") == Decimal(7)


def test_a_debt_has_to_trickle_in_before_anything_is_granted(gateway: Gateway) -> None:
    budget_take("polymarket", BudgetKind.CANCEL)
    tell(gateway, LimitReading(SIGNER_CANCELS, remaining=Decimal(-160)))

    # 160 tokens of debt at 80 a second are two seconds, and one token more.
    assert 1.9 < budget_take("polymarket", BudgetKind.CANCEL) <= 2.02


def test_a_wait_empties_the_bucket_and_a_shorter_one_does_not_end_it(gateway: Gateway) -> None:
    budget_take("polymarket", BudgetKind.ORDER)
    tell(gateway, LimitReading(SIGNER_ORDERS, wait_s=30))
    tell(gateway, LimitReading(SIGNER_ORDERS, wait_s=2))

    assert 29 < budget_take("polymarket", BudgetKind.ORDER) < 30.1
    assert budget_take("polymarket", BudgetKind.CANCEL) == 0.0


def test_a_tier_resizes_the_buckets_for_everybody_and_a_warning_is_kept(gateway: Gateway) -> None:
    budget_take("polymarket", BudgetKind.ORDER)
    tell(gateway, LimitReading(SIGNER_ORDERS, remaining=Decimal(200), tier="silver", is_warning=True))

    bucket = RateBucket.objects.get(pk="polymarket: signer orders")
    assert (bucket.capacity, bucket.rate) == (Decimal(300), Decimal(200))
    row = VenueLimit.objects.get()
    assert (row.bucket, row.tier, row.noted_at, row.warned_at) == (SIGNER_ORDERS, "silver", NOW, NOW)
    # A later take starts no bucket anew.
    budget_take("polymarket", BudgetKind.ORDER)
    bucket.refresh_from_db()
    assert bucket.capacity == Decimal(300)


def test_a_real_refusal_of_the_exchange_rests_all_workers(desk: Desk, gateway: Gateway) -> None:
    budget_take("polymarket", BudgetKind.ORDER)
    desk.book(SLUG, **BOOK)
    (token, _) = desk.market(SLUG)["token_ids"]
    order = gateway.prepare(order_for(terms_of(gateway, token)))
    strike(desk.exchange, kind="rate_limit", method="POST", path="/clob/order")
    gateway.submit(order.payload)
    budget_note("polymarket", gateway, now=NOW)

    assert 0 < budget_take("polymarket", BudgetKind.ORDER) <= 1.03
    assert VenueLimit.objects.get().tier == "standard"
    assert gateway.take_limit_readings() == []
