"""What the clock does: cover begins and ends in sets, once, with events and exposure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from policies.domain.exposure import ProductExposure
from policies.models import ExposureDelta, Policy, PolicyEvent
from policies.selectors.exposure import exposure_by_product
from policies.services.claims import claim_file, claim_reject
from policies.services.due import policies_activate_due, policies_expire_due
from policies.services.verification import verify_exposure
from tests.policies.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=30)


def test_a_policy_ends_at_its_expiry_and_not_before(sell: Callable[..., Policy]) -> None:
    policy = sell()

    assert policies_expire_due(now=LATER - timedelta(microseconds=1)) == 0
    assert policies_expire_due(now=LATER) == 1

    policy.refresh_from_db()
    assert (policy.status, policy.ended_at) == ("expired", LATER)
    event = PolicyEvent.objects.get(kind="expired")
    assert (event.policy_id, event.at, event.actor) == (policy.pk, LATER, "beat")
    assert exposure_by_product() == {}
    assert verify_exposure() == []
    assert policies_expire_due(now=LATER) == 0


def test_a_set_that_ends_writes_one_delta_per_product(sell: Callable[..., Policy]) -> None:
    for number in range(4):
        sell(external_id=f"p-{number}", stablecoin="DAI" if number == 3 else "USDC")
    ExposureDelta.objects.all().delete()

    assert policies_expire_due(now=LATER) == 4

    assert sorted(ExposureDelta.objects.values_list("product_id", "coverage_usd", "policies_count")) == [
        (0, Decimal(-300_000), -3),
        (2, Decimal(-100_000), -1),
    ]


def test_at_most_limit_policies_end_at_once_the_oldest_first(sell: Callable[..., Policy]) -> None:
    for number in range(3):
        sell(external_id=f"p-{number}", duration_days=30 - number)

    assert policies_expire_due(now=LATER, limit=2) == 2
    assert list(Policy.objects.filter(status="active").values_list("external_id", flat=True)) == ["p-0"]
    assert verify_exposure() == []


def test_a_scheduled_policy_begins_at_its_start(sell: Callable[..., Policy]) -> None:
    start = NOW + timedelta(days=2)
    policy = sell(starts_at=start)

    assert policies_activate_due(now=start - timedelta(seconds=1)) == 0
    assert policies_activate_due(now=start) == 1

    policy.refresh_from_db()
    assert policy.status == "active"
    assert PolicyEvent.objects.get(kind="activated").at == start
    assert exposure_by_product() == {0: ProductExposure(coverage_usd=Decimal(100_000), policies_count=1)}
    assert verify_exposure() == []


def test_a_policy_under_an_open_claim_stays_in_force_until_the_claim_is_decided(
    sell: Callable[..., Policy],
) -> None:
    policy = sell()
    claim = claim_file(policy.pk, event_at=NOW, evidence="feed", actor="ada", now=NOW)

    assert policies_expire_due(now=LATER) == 0
    assert exposure_by_product()[0].policies_count == 1

    claim_reject(claim.pk, reason="no depeg", actor="bob", now=LATER)
    assert policies_expire_due(now=LATER) == 1


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_end_each_policy_once(sell: Callable[..., Policy]) -> None:
    for number in range(40):
        sell(external_id=f"p-{number}")
    ended: list[int] = []
    start = threading.Barrier(4)

    def beat() -> None:
        try:
            start.wait()
            ended.append(policies_expire_due(now=LATER))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(ended) == 40
    assert PolicyEvent.objects.filter(kind="expired").count() == 40
    assert exposure_by_product() == {}
    assert verify_exposure() == []
