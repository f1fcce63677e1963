"""What the database itself refuses, each for its own reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from policies.models import (
    Claim,
    Exposure,
    ExposureDelta,
    OnchainId,
    Policy,
    PolicyEvent,
    Product,
    RateFactor,
)
from policies.services.claims import claim_file
from policies.services.products import catalogue_ensure
from tests.policies.conftest import NOW

pytestmark = pytest.mark.django_db


def policy_row(**changes: Any) -> Policy:
    """A valid policy row, not saved."""
    values = {
        "external_id": "row",
        "holder": "h",
        "product_id": 0,
        "coverage_usd": Decimal(100),
        "premium_usd": Decimal(1),
        "starts_at": NOW,
        "expires_at": NOW + timedelta(days=10),
        "trigger_price": Decimal("0.98"),
        "trigger_window_s": 60,
        "status": "active",
        "source": "test",
        "created_at": NOW,
    }
    return Policy(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"coverage_usd": Decimal(0)}, "policy_coverage_positive"),
        ({"premium_usd": Decimal(100)}, "policy_premium_below_coverage"),
        ({"premium_usd": Decimal(-1)}, "policy_premium_below_coverage"),
        ({"expires_at": NOW}, "policy_expires_after_start"),
        ({"status": "asleep"}, "policy_status_known"),
        ({"status": "expired"}, "policy_over_has_end"),
        ({"ended_at": NOW}, "policy_over_has_end"),
        ({"trigger_price": None}, "policy_depeg_has_trigger"),
        ({"trigger_window_s": None}, "policy_depeg_has_trigger"),
        ({"trigger_price": Decimal(1)}, "policy_depeg_has_trigger"),
        ({"product_id": 112}, "policy_depeg_has_trigger"),
        ({"product_id": 560, "trigger_price": None, "trigger_window_s": None}, "policy_product_in_catalogue"),
        ({"external_id": ""}, "policy_is_named"),
        ({"holder": ""}, "policy_is_named"),
    ],
)
def test_an_impossible_policy_is_refused_by_its_own_constraint(
    changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        policy_row(**changes).save()


def test_an_external_id_names_one_policy() -> None:
    policy_row().save()
    with pytest.raises(IntegrityError, match="policy_one_per_external_id"):
        policy_row().save()


def test_nothing_of_the_book_is_deleted(sell: Callable[..., Policy]) -> None:
    policy = sell()
    claim = claim_file(policy.pk, event_at=NOW, evidence="e", actor="a", now=NOW)
    event = PolicyEvent.objects.first()
    assert event is not None
    for row in (event, claim, policy, policy.product):
        table = row._meta.db_table
        with (
            pytest.raises(IntegrityError, match="never deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])


@pytest.mark.parametrize(
    "change",
    [
        {"coverage_usd": Decimal(5)},
        {"external_id": "other"},
        {"holder": "other"},
        {"product_id": 1},
        {"expires_at": NOW + timedelta(days=300)},
        {"trigger_price": Decimal("0.5")},
        {"source": "other"},
    ],
)
def test_the_terms_of_a_policy_never_change(change: dict[str, Any], sell: Callable[..., Policy]) -> None:
    policy = sell()
    with pytest.raises(IntegrityError, match="terms of policies_policy never change"):
        Policy.objects.filter(pk=policy.pk).update(**change)


def test_a_policy_does_not_come_back_from_the_end(sell: Callable[..., Policy]) -> None:
    policy = sell()
    Policy.objects.filter(pk=policy.pk).update(status="cancelled", ended_at=NOW)
    with pytest.raises(IntegrityError, match="cannot go from cancelled to active"):
        Policy.objects.filter(pk=policy.pk).update(status="active", ended_at=None)


def test_events_are_neither_changed_nor_told_twice(sell: Callable[..., Policy]) -> None:
    policy = sell()
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        PolicyEvent.objects.update(actor="nobody")
    with pytest.raises(IntegrityError, match="policy_event_once"), transaction.atomic():
        PolicyEvent.objects.create(policy=policy, kind="sold", at=NOW, actor="again")


def test_a_policy_has_one_claim_alive(sell: Callable[..., Policy]) -> None:
    policy = sell()
    claim = claim_file(policy.pk, event_at=NOW, evidence="e", actor="a", now=NOW)
    with pytest.raises(IntegrityError, match="claim_one_alive_per_policy"), transaction.atomic():
        Claim.objects.create(
            policy=policy, amount_usd=Decimal(1), event_at=NOW, evidence="e", filed_at=NOW, filed_by="b"
        )
    with pytest.raises(IntegrityError, match="terms of policies_claim never change"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(amount_usd=Decimal(2))
    with pytest.raises(IntegrityError, match="cannot go from filed to paid"), transaction.atomic():
        Claim.objects.filter(pk=claim.pk).update(status="paid", paid_at=NOW, decided_at=NOW, decided_by="b")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"coverage_usd": Decimal(-1), "policies_count": -1}, "exposure_not_negative"),
        ({"coverage_usd": Decimal(1), "policies_count": 0}, "exposure_zero_together"),
        ({"coverage_usd": Decimal(0), "policies_count": 1}, "exposure_zero_together"),
    ],
)
def test_an_impossible_exposure_is_refused(values: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        Exposure.objects.filter(pk=0).update(**values)


def test_a_delta_belongs_to_a_product_of_the_catalogue() -> None:
    with pytest.raises(IntegrityError, match="exposure_delta_product_in_catalogue"):
        ExposureDelta.objects.create(product_id=560, coverage_usd=Decimal(1), policies_count=1)


@pytest.mark.parametrize(("usd", "count"), [(1, -1), (-1, 1), (0, 1), (0, 0)])
def test_a_delta_goes_one_way(usd: int, count: int) -> None:
    with pytest.raises(IntegrityError, match="exposure_delta_one_direction"):
        ExposureDelta.objects.create(product_id=0, coverage_usd=Decimal(usd), policies_count=count)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"hedge_ratio": Decimal("1.1")}, "product_hedge_ratio_is_a_share"),
        ({"base_rate": Decimal(-1)}, "product_base_rate_is_a_share"),
        ({"coverage_usd_min": Decimal(0)}, "product_coverage_limits_ordered"),
        ({"coverage_usd_max": Decimal(1)}, "product_coverage_limits_ordered"),
        ({"exposure_usd_max": Decimal(-1)}, "product_exposure_limit_not_negative"),
        ({"life": "dead"}, "product_life_known"),
        ({"sizing_mode": "ALL"}, "product_sizing_mode_known"),
        ({"is_valid": False}, "product_invalid_has_reason"),
        ({"chain": "doge"}, "product_members_known"),
    ],
)
def test_an_impossible_product_is_refused(changes: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        Product.objects.filter(pk=0).update(**changes)


def test_the_catalogue_is_made_once_and_mended_without_touching_edits() -> None:
    assert Product.objects.filter(life="active").count() == 532
    assert OnchainId.objects.count() == 5 + 8 + 14
    assert RateFactor.objects.count() == 8 + 14
    Product.objects.filter(pk=0).update(hedge_ratio=Decimal("0.5"))
    OnchainId.objects.filter(member="TON").delete()
    RateFactor.objects.filter(member="DAI").delete()

    catalogue_ensure()
    catalogue_ensure()

    assert Product.objects.count() == Exposure.objects.count() == 560
    assert Product.objects.get(pk=0).hedge_ratio == Decimal("0.5")
    assert OnchainId.objects.count() == 27
    assert RateFactor.objects.get(member="DAI").factor == Decimal("0.0002")
