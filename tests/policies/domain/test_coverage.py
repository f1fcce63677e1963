"""The rules of a promise, at their edges."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from policies.domain import claims, coverage
from policies.domain.catalogue import CoverageType
from policies.domain.claims import ClaimStatus
from policies.domain.coverage import PolicyStatus, SaleTerms, Trigger
from tests.policies.conftest import NOW
from tonsurance.kernel.errors import Refused

TERMS = SaleTerms(
    holder="h",
    product_id=0,
    coverage_usd=Decimal(100),
    premium_usd=Decimal(1),
    starts_at=NOW,
    expires_at=NOW + timedelta(days=30),
    duration_days=30,
    trigger_price=Decimal("0.98"),
    trigger_window_s=86_400,
)


@pytest.mark.parametrize("days", [7, 365])
def test_the_shortest_and_longest_terms_are_sold(days: int) -> None:
    start, end = coverage.term(starts_at=None, expires_at=None, duration_days=days, now=NOW)

    assert (start, end) == (NOW, NOW + timedelta(days=days))


def test_a_term_a_second_too_short_or_too_long_is_refused() -> None:
    for length in (timedelta(days=7, seconds=-1), timedelta(days=365, seconds=1)):
        with pytest.raises(Refused) as caught:
            coverage.term(starts_at=NOW, expires_at=NOW + length, duration_days=None, now=NOW)
        assert caught.value.field == "expires_at"


def test_a_clock_that_is_five_minutes_off_is_no_backdating() -> None:
    coverage.check_start(NOW - timedelta(minutes=5), now=NOW)
    with pytest.raises(Refused):
        coverage.check_start(NOW - timedelta(minutes=5, seconds=1), now=NOW)


def test_only_depeg_has_a_trigger_and_it_has_defaults() -> None:
    given_none = coverage.trigger_for(CoverageType.DEPEG, price=None, window_s=None)

    assert given_none == Trigger(price=Decimal("0.98"), window_s=86_400)
    for other in set(CoverageType) - {CoverageType.DEPEG}:
        assert coverage.trigger_for(other, price=None, window_s=None) is None
        with pytest.raises(Refused):
            coverage.trigger_for(other, price=None, window_s=60)


def test_a_sale_equals_itself_and_what_was_left_to_us_is_not_compared() -> None:
    left_open: dict[str, Any] = dict.fromkeys(
        ("premium_usd", "starts_at", "expires_at", "trigger_price", "trigger_window_s")
    )
    stated = SaleTerms(holder="h", product_id=0, coverage_usd=Decimal(100), duration_days=30, **left_open)

    assert coverage.differing_fields(TERMS, booked=TERMS) == []
    assert coverage.differing_fields(stated, booked=TERMS) == []


def test_policies_and_claims_take_the_listed_steps_and_no_others() -> None:
    for old, new in product(PolicyStatus, repeat=2):
        _takes_step(coverage.check_step, old, new, allowed=new in coverage.STEPS[old])
    for claimed, decided in product(ClaimStatus, repeat=2):
        _takes_step(claims.check_step, claimed, decided, allowed=decided in claims.STEPS[claimed])


def _takes_step(check: Any, old: Any, new: Any, *, allowed: bool) -> None:
    if allowed:
        check(old, to=new)
        return
    with pytest.raises(Refused, match=f"{old} cannot become {new}"):
        check(old, to=new)


@pytest.mark.parametrize(("price", "payable"), [("0.9799", True), ("0.98", False), ("1.00", False)])
def test_a_depeg_claim_pays_below_the_trigger_only(price: str, payable: bool) -> None:
    trigger = Trigger(price=Decimal("0.98"), window_s=60)
    if payable:
        claims.check_trigger(trigger, observed_price=Decimal(price))
        return
    with pytest.raises(Refused) as caught:
        claims.check_trigger(trigger, observed_price=Decimal(price))
    assert caught.value.code == "trigger_not_met"


@pytest.mark.parametrize(
    ("amount", "fits"), [("0.000001", True), ("100", True), ("100.000001", False), ("0", False)]
)
def test_a_policy_pays_at_most_its_coverage(amount: str, fits: bool) -> None:
    if fits:
        claims.check_amount(Decimal(amount), coverage_usd=Decimal(100))
        return
    with pytest.raises(Refused):
        claims.check_amount(Decimal(amount), coverage_usd=Decimal(100))
