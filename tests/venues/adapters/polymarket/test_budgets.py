"""What the venue's tables grant, and what its answers say is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.adapters.polymarket.budgets import (
    SIGNER_CANCELS,
    SIGNER_ORDERS,
    TIERS,
    budget_plan,
    reading_of,
)
from venues.domain.budgets import Bucket, BudgetKind, LimitReading

NOW_S = 1_795_000_000


def read(method: str, path: str, status: int = 200, **headers: str) -> LimitReading | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reading_of(method, path, status=status, headers=named, now_s=NOW_S)


def test_an_order_takes_from_the_signer_the_route_and_the_whole_service() -> None:
    charges = budget_plan()[BudgetKind.BATCH]

    assert [(charge.bucket.name, charge.per_request, charge.floor) for charge in charges] == [
        ("signer orders", False, 0),
        ("ip POST /orders", True, 0),
        ("ip order book", True, 900),
    ]
    assert charges[0].bucket == Bucket(SIGNER_ORDERS, Decimal(60), Decimal(40))


@pytest.mark.parametrize("kind", [BudgetKind.CANCEL, BudgetKind.LOOKUP])
def test_cancels_and_lookups_may_use_the_reserve(kind: BudgetKind) -> None:
    assert {charge.floor for charge in budget_plan()[kind]} == {0}


def test_every_kind_has_a_plan_in_every_tier_and_a_tier_we_do_not_know_is_the_lowest() -> None:
    assert all(set(budget_plan(tier)) == set(BudgetKind) for tier in TIERS)
    assert budget_plan("mithril") == budget_plan()
    gold = budget_plan("Gold")[BudgetKind.CANCEL][0].bucket
    assert gold == Bucket(SIGNER_CANCELS, Decimal(1_200), Decimal(800))


def test_no_ten_seconds_and_no_ten_minutes_pass_more_than_a_route_allows() -> None:
    (_, route, service) = budget_plan()[BudgetKind.ORDER]

    assert route.bucket.capacity + 10 * route.bucket.rate <= 5_000
    assert route.bucket.capacity + 600 * route.bucket.rate <= 120_000
    assert service.bucket.capacity + 10 * service.bucket.rate == 9_000


def test_an_accepted_order_says_what_is_left_and_its_reset_is_no_wait() -> None:
    assert read(
        "POST",
        "/order",
        poly_ratelimit_remaining="58",
        poly_ratelimit_reset=str(NOW_S),
        poly_ratelimit_tier="standard",
    ) == LimitReading(SIGNER_ORDERS, remaining=Decimal(58), tier="standard")


def test_a_cancel_may_report_a_debt() -> None:
    assert read("DELETE", "/orders", Poly_RateLimit_Remaining="-12") == LimitReading(
        SIGNER_CANCELS, remaining=Decimal(-12)
    )


def test_a_warning_is_heard() -> None:
    reading = read("POST", "/orders", poly_ratelimit_tier="copper", poly_ratelimit_warning="true")

    assert reading == LimitReading(SIGNER_ORDERS, tier="copper", is_warning=True)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "3"}, 3),
        ({"retry_after": "2.1"}, 3),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "86400"}, 600),
        ({"poly_ratelimit_reset": str(NOW_S + 7)}, 7),
        ({"poly_ratelimit_reset": str(NOW_S - 7)}, 1),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
        ({}, 1),
    ],
)
def test_a_refusal_says_how_long_to_rest(headers: dict[str, str], wait_s: int) -> None:
    signers = read("POST", "/order", 429, poly_ratelimit_remaining="0", **headers)
    addresss = read("POST", "/order", 429, **headers)

    assert signers == LimitReading(SIGNER_ORDERS, remaining=Decimal(0), wait_s=wait_s)
    assert addresss == LimitReading("ip POST /order", wait_s=wait_s)


@pytest.mark.parametrize(
    ("method", "path", "bucket"),
    [
        ("POST", "/order", "ip POST /order"),
        ("POST", "/orders", "ip POST /orders"),
        ("POST", "/books", "ip POST /books"),
        ("DELETE", "/orders", "ip DELETE /orders"),
        ("GET", "/data/order/0xab", "ip GET /data"),
        ("GET", "/data/trades", "ip GET /data"),
        ("GET", "/balance-allowance", "ip GET /balance-allowance"),
        ("GET", "/book", "ip GET /book"),
        ("GET", "/markets/keyset", "ip Gamma"),
        ("GET", "/public-search", "ip Gamma"),
    ],
)
def test_each_route_has_its_bucket_and_the_plan_takes_from_it(method: str, path: str, bucket: str) -> None:
    reading = read(method, path, 429)

    assert reading == LimitReading(bucket, wait_s=1)
    charged = {charge.bucket.name for charges in budget_plan().values() for charge in charges}
    assert bucket in charged


def test_an_answer_that_says_nothing_is_no_reading() -> None:
    assert read("POST", "/order") is None
    assert read("GET", "/time", 429) is None


@given(
    words=st.dictionaries(
        st.sampled_from(
            ["Poly-RateLimit-Remaining", "Poly-RateLimit-Reset", "Poly-RateLimit-Tier", "Retry-After"]
        ),
        st.text(max_size=30) | st.sampled_from(["NaN", "Infinity", "-1e999", "1e30", "5"]),
    ),
    status=st.sampled_from([200, 429, 503]),
)
def test_whatever_the_headers_say_a_reading_is_usable(words: dict[str, str], status: int) -> None:
    reading = reading_of("POST", "/order", status=status, headers=words, now_s=NOW_S)

    if reading is not None:
        assert reading.wait_s is None or 1 <= reading.wait_s <= 600
        assert reading.remaining is None or reading.remaining.is_finite()
