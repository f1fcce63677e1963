"""Selling and cancelling: what is written, what is refused, and that a repeated sale is one sale."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections

from policies.domain.exposure import ProductExposure
from policies.models import Exposure, ExposureDelta, Policy, PolicyEvent, Product
from policies.selectors.exposure import exposure_by_product
from policies.services.claims import claim_file
from policies.services.policies import policy_cancel, policy_record_sale
from policies.services.verification import verify_exposure
from tests.policies.conftest import NOW, sale_terms
from tonsurance.kernel.errors import Conflict, Refused

pytestmark = pytest.mark.django_db


def _nothing_written() -> bool:
    return not (Policy.objects.exists() or PolicyEvent.objects.exists() or ExposureDelta.objects.exists())


def test_a_sale_writes_policy_event_and_exposure_together() -> None:
    policy, created = policy_record_sale(**sale_terms())

    assert created
    assert (policy.product_id, policy.coverage_usd, policy.premium_usd) == (
        0,
        Decimal(100_000),
        Decimal("65.75"),
    )
    assert (policy.starts_at, policy.expires_at) == (NOW, NOW + timedelta(days=30))
    assert (policy.trigger_price, policy.trigger_window_s) == (Decimal("0.98"), 86_400)
    assert (policy.status, policy.source, policy.ended_at) == ("active", "test", None)
    event = PolicyEvent.objects.get()
    assert (event.policy_id, event.kind, event.at, event.actor) == (policy.pk, "sold", NOW, "tester")
    assert event.detail == {"source": "test", "coverage_usd": "100000", "premium_usd": "65.75"}
    assert exposure_by_product() == {
        0: ProductExposure(coverage_usd=Decimal("100000.000000"), policies_count=1)
    }
    assert verify_exposure() == []


def test_the_same_sale_again_is_the_policy_that_is_there() -> None:
    first, _ = policy_record_sale(**sale_terms())
    again, created = policy_record_sale(**sale_terms(now=NOW + timedelta(hours=1)))

    assert (again.pk, created) == (first.pk, False)
    assert Policy.objects.count() == PolicyEvent.objects.count() == ExposureDelta.objects.count() == 1


def test_the_same_sale_is_found_again_after_its_product_was_paused() -> None:
    first, _ = policy_record_sale(**sale_terms())
    Product.objects.filter(pk=0).update(life="paused")

    assert policy_record_sale(**sale_terms())[0].pk == first.pk


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"coverage_usd": Decimal(100_001)}, "coverage_usd"),
        ({"holder": "0xother"}, "holder"),
        ({"stablecoin": "USDT"}, "product_id"),
        ({"duration_days": 31}, "duration_days"),
        ({"premium_usd": Decimal("65.76")}, "premium_usd"),
        ({"trigger_price": Decimal("0.97")}, "trigger_price"),
        ({"starts_at": NOW + timedelta(days=1)}, "starts_at"),
    ],
)
def test_the_same_id_with_another_body_is_a_conflict(changes: dict[str, Any], differing: str) -> None:
    policy_record_sale(**sale_terms())

    with pytest.raises(Conflict) as caught:
        policy_record_sale(**sale_terms(**changes))
    assert (caught.value.code, caught.value.field) == ("external_id_taken", "external_id")
    assert caught.value.message == f"external_id: sale-1 is already sold with another {differing}"
    assert Policy.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"coverage_type": "earthquake"}, "coverage_type", "unknown_member"),
        ({"coverage_type": 9}, "coverage_type", "unknown_member"),
        ({"chain": "dogechain"}, "chain", "unknown_member"),
        ({"stablecoin": "usdc"}, "stablecoin", "unknown_member"),
        ({"coverage_type": "oracle", "chain": "bitcoin"}, "coverage_type", "invalid_combination"),
        ({"coverage_usd": Decimal(0)}, "coverage_usd", "refused"),
        ({"coverage_usd": Decimal(-5)}, "coverage_usd", "refused"),
        ({"coverage_usd": Decimal("1e30")}, "coverage_usd", "refused"),
        ({"coverage_usd": Decimal("NaN")}, "coverage_usd", "refused"),
        ({"coverage_usd": Decimal("1000.0000001")}, "coverage_usd", "refused"),
        ({"duration_days": 6}, "duration_days", "refused"),
        ({"duration_days": 366}, "duration_days", "refused"),
        ({"duration_days": None}, "expires_at", "refused"),
        ({"duration_days": None, "expires_at": NOW - timedelta(days=1)}, "expires_at", "refused"),
        ({"starts_at": NOW - timedelta(minutes=6)}, "starts_at", "refused"),
        ({"starts_at": NOW + timedelta(days=366)}, "starts_at", "refused"),
        ({"premium_usd": Decimal("67.07")}, "premium_usd", "premium_off_quote"),
        ({"premium_usd": Decimal("64.43")}, "premium_usd", "premium_off_quote"),
        ({"trigger_price": Decimal(1)}, "trigger_price", "refused"),
        ({"trigger_window_s": 59}, "trigger_window_s", "refused"),
        ({"coverage_type": "bridge", "trigger_price": Decimal("0.9")}, "trigger_price", "refused"),
        ({"external_id": ""}, "external_id", "refused"),
        ({"external_id": "a b"}, "external_id", "refused"),
        ({"external_id": "x" * 65}, "external_id", "refused"),
        ({"holder": "  "}, "holder", "refused"),
        ({"holder": "a\x00b"}, "holder", "refused"),
    ],
)
def test_bad_input_is_refused_with_its_field_and_remedy_and_changes_nothing(
    changes: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(Refused) as caught:
        policy_record_sale(**sale_terms(**changes))

    assert (caught.value.field, caught.value.code) == (field, code)
    assert caught.value.message.startswith(f"{field}: ")
    assert caught.value.remedy
    assert _nothing_written()


def test_a_paused_product_is_not_sold() -> None:
    Product.objects.filter(pk=0).update(life="paused")

    with pytest.raises(Refused, match="paused and not sold now"):
        policy_record_sale(**sale_terms())
    assert _nothing_written()


@pytest.mark.parametrize("premium", ["64.44", "65.75", "67.06"])
def test_a_premium_within_two_percent_of_the_price_is_taken(premium: str) -> None:
    policy, _ = policy_record_sale(**sale_terms(premium_usd=Decimal(premium)))

    assert policy.premium_usd == Decimal(premium)


def test_members_may_be_named_by_their_onchain_ids() -> None:
    policy, _ = policy_record_sale(**sale_terms(coverage_type=4, chain=7, stablecoin=13))

    assert policy.product_id == 559


def test_cover_that_begins_later_is_scheduled_and_not_exposure() -> None:
    policy, _ = policy_record_sale(**sale_terms(starts_at=NOW + timedelta(days=2)))

    assert policy.status == "scheduled"
    assert exposure_by_product() == {}


def test_an_exposure_limit_counts_cover_in_force_and_scheduled(sell: Callable[..., Policy]) -> None:
    Product.objects.filter(pk=0).update(exposure_usd_max=Decimal(250_000))
    sell(external_id="a")
    sell(external_id="b", starts_at=NOW + timedelta(days=1))

    with pytest.raises(Refused) as caught:
        sell(external_id="c")
    assert caught.value.code == "exposure_limit"
    assert "room for 50000" in caught.value.message
    sell(external_id="d", coverage_usd=Decimal(50_000))


@pytest.mark.django_db(transaction=True)
def test_eight_sellers_cannot_pass_an_exposure_limit_together() -> None:
    Product.objects.filter(pk=0).update(exposure_usd_max=Decimal(500_000))
    outcomes: list[str] = []

    def sell_one(number: int) -> None:
        try:
            policy_record_sale(**sale_terms(external_id=f"race-{number}"))
            outcomes.append("sold")
        except Refused as refused:
            outcomes.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sell_one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["exposure_limit"] * 3 + ["sold"] * 5
    assert exposure_by_product()[0].coverage_usd == Decimal(500_000)


@pytest.mark.django_db(transaction=True)
def test_eight_sellers_of_one_id_make_one_policy() -> None:
    outcomes: list[tuple[int, bool]] = []
    start = threading.Barrier(8)

    def sell_one() -> None:
        try:
            start.wait()
            policy, created = policy_record_sale(**sale_terms())
            outcomes.append((policy.pk, created))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=sell_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({pk for pk, _ in outcomes}) == 1
    assert sorted(created for _, created in outcomes) == [False] * 7 + [True]
    assert Policy.objects.count() == PolicyEvent.objects.count() == ExposureDelta.objects.count() == 1
    assert verify_exposure() == []


def test_a_cancelled_policy_leaves_the_exposure(sell: Callable[..., Policy], now: datetime) -> None:
    policy = sell()

    ended = policy_cancel(policy.pk, reason="holder asked", actor="ada", now=now + timedelta(days=1))

    assert (ended.status, ended.ended_at) == ("cancelled", now + timedelta(days=1))
    assert exposure_by_product() == {}
    event = PolicyEvent.objects.get(kind="cancelled")
    assert (event.actor, event.detail) == ("ada", {"reason": "holder asked"})
    assert verify_exposure() == []


def test_a_scheduled_policy_can_be_cancelled_without_touching_exposure(sell: Callable[..., Policy]) -> None:
    policy = sell(starts_at=NOW + timedelta(days=2))

    policy_cancel(policy.pk, reason="changed mind", actor="ada", now=NOW)

    assert ExposureDelta.objects.count() == 0
    assert verify_exposure() == []


def test_a_policy_is_not_cancelled_twice_nor_without_reason_nor_under_a_claim(
    sell: Callable[..., Policy],
) -> None:
    policy = sell()
    with pytest.raises(Refused, match="needs a reason"):
        policy_cancel(policy.pk, reason=" ", actor="ada", now=NOW)
    claim_file(policy.pk, event_at=NOW, evidence="price feed", actor="ada", now=NOW)
    with pytest.raises(Refused) as caught:
        policy_cancel(policy.pk, reason="holder asked", actor="ada", now=NOW)
    assert caught.value.code == "claim_open"

    other = sell(external_id="other")
    policy_cancel(other.pk, reason="holder asked", actor="ada", now=NOW)
    with pytest.raises(Refused, match="cancelled cannot become cancelled"):
        policy_cancel(other.pk, reason="holder asked", actor="ada", now=NOW)
    with pytest.raises(Refused, match="no policy 999999999"):
        policy_cancel(999_999_999, reason="x", actor="ada", now=NOW)


def test_a_sale_costs_a_handful_of_statements(django_assert_num_queries: Any) -> None:
    # savepoint, look, product, rates, the sale itself, read back, release
    with django_assert_num_queries(7):
        policy_record_sale(**sale_terms())


def test_every_product_has_its_exposure_row() -> None:
    assert Exposure.objects.count() == Product.objects.count() == 560
    assert connection.vendor == "postgresql"
