"""Token buckets shared by all processes: never more than capacity plus what has trickled in."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest
from django.db import connections

from tonsurance.plumbing.buckets import bucket_empty, bucket_ensure, bucket_take
from tonsurance.plumbing.models import RateBucket

pytestmark = pytest.mark.django_db
SLOW = Decimal("0.000001")


def test_tokens_are_taken_until_none_are_left() -> None:
    bucket_ensure("pm:post", capacity=Decimal(3), rate=SLOW)

    assert [bucket_take("pm:post") for _ in range(4)] == [True, True, True, False]


def test_a_floor_keeps_a_reserve() -> None:
    bucket_ensure("pm:post", capacity=Decimal(10), rate=SLOW)

    assert bucket_take("pm:post", tokens=7, floor=3) is True
    assert bucket_take("pm:post", floor=3) is False
    assert bucket_take("pm:post", tokens=3) is True


def test_an_unknown_bucket_grants_nothing() -> None:
    assert bucket_take("nobody") is False


def test_new_limits_never_leave_more_than_the_capacity() -> None:
    bucket_ensure("pm:post", capacity=Decimal(10), rate=SLOW)
    bucket_ensure("pm:post", capacity=Decimal(2), rate=SLOW)

    assert RateBucket.objects.get().tokens == Decimal(2)


@pytest.mark.django_db(transaction=True)
def test_an_emptied_bucket_grants_nothing_for_a_while_and_then_refills() -> None:
    bucket_ensure("pm:post", capacity=Decimal(5), rate=Decimal(1000))
    bucket_empty("pm:post", seconds=1)

    assert bucket_take("pm:post") is False
    time.sleep(1.05)
    assert bucket_take("pm:post") is True


@pytest.mark.django_db(transaction=True)
def test_eight_takers_together_get_no_more_than_there_is() -> None:
    bucket_ensure("pm:post", capacity=Decimal(20), rate=SLOW)
    granted: list[bool] = []

    def take() -> None:
        try:
            granted.extend(bucket_take("pm:post") for _ in range(10))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert granted.count(True) == 20
