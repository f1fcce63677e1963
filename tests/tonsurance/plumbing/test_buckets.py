"""Token buckets shared by all processes: never more than capacity plus what has trickled in."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction

from tonsurance.kernel.errors import Broken
from tonsurance.plumbing.buckets import (
    Take,
    bucket_empty,
    bucket_ensure,
    bucket_lower,
    bucket_open,
    bucket_take,
    buckets_take,
)
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


def two_buckets() -> None:
    bucket_open("pm:a", capacity=Decimal(10), rate=SLOW)
    bucket_open("pm:b", capacity=Decimal(5), rate=SLOW)


def tokens_of(name: str) -> Decimal:
    return RateBucket.objects.get(pk=name).tokens.quantize(Decimal(1))


def test_all_buckets_are_taken_from_or_none() -> None:
    two_buckets()

    assert buckets_take([Take("pm:a", 4), Take("pm:b", 5)]) == 0.0
    wait_s = buckets_take([Take("pm:a", 4), Take("pm:b", 1)])

    assert wait_s is not None
    assert wait_s > 0
    assert (tokens_of("pm:a"), tokens_of("pm:b")) == (Decimal(6), Decimal(0))


def test_a_missing_bucket_takes_nothing_from_the_others() -> None:
    two_buckets()

    assert buckets_take([Take("pm:a", 4), Take("nobody", 1)]) is None
    assert tokens_of("pm:a") == Decimal(10)


def test_more_than_a_bucket_ever_holds_is_our_own_fault() -> None:
    two_buckets()

    with pytest.raises(Broken):
        buckets_take([Take("pm:b", 4, floor=2)])


def test_opening_again_keeps_what_a_bucket_learned() -> None:
    two_buckets()
    bucket_ensure("pm:b", capacity=Decimal(50), rate=Decimal(2))
    bucket_open("pm:b", capacity=Decimal(5), rate=SLOW)

    assert RateBucket.objects.get(pk="pm:b").capacity == Decimal(50)


def test_lowering_never_raises() -> None:
    two_buckets()
    bucket_lower("pm:a", tokens=Decimal(3))
    bucket_lower("pm:a", tokens=Decimal(8))

    assert tokens_of("pm:a") == Decimal(3)


@pytest.mark.django_db(transaction=True)
def test_taking_never_changes_how_anybody_elses_commit_reaches_the_disk() -> None:
    two_buckets()

    def how() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return str(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    try:
        buckets_take([Take("pm:a", 1)])
        assert how() == "on"
        with transaction.atomic():
            buckets_take([Take("pm:a", 1), Take("pm:b", 1)])
            assert how() == "on"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


@pytest.mark.django_db(transaction=True)
def test_takers_of_several_buckets_neither_wait_for_each_other_for_ever_nor_take_too_much() -> None:
    two_buckets()
    RateBucket.objects.update(capacity=30, tokens=30)
    granted: list[float | None] = []

    def take(names: tuple[str, str]) -> None:
        try:
            granted.extend(buckets_take([Take(name, 1) for name in names]) for _ in range(15))
        finally:
            connections.close_all()

    orders = [("pm:a", "pm:b"), ("pm:b", "pm:a")] * 3
    threads = [threading.Thread(target=take, args=(names,)) for names in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(granted) == 90
    assert granted.count(0.0) == 30
