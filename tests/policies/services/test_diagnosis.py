"""Kept exposure that is wrong is found by comparing a few products with their policies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection

from policies.models import Exposure
from policies.services import diagnosis
from policies.services.diagnosis import exposure_ask
from tests import factories as make
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db


def test_exposure_that_equals_its_policies_is_well() -> None:
    make.policy(make.product(), "100000")
    make.policy(make.product(stablecoin="DAI"), "5000")
    (found,) = exposure_ask(now=utc_now())
    assert (found.level.value, found.sentence) == (
        "ok",
        "2 of 2 products with cover compared: kept equals the policies",
    )


def test_a_kept_figure_that_drifted_is_a_fault_that_names_the_product() -> None:
    usdc = make.product()
    make.policy(usdc, "100000")
    Exposure.objects.update_or_create(
        pk=usdc.pk, defaults={"coverage_usd": Decimal(7), "policies_count": 1, "updated_at": utc_now()}
    )
    (found,) = exposure_ask(now=utc_now())
    assert (found.level.value, found.code, found.runbook) == ("fault", "exposure", "verify-failed")
    assert found.sentence == (
        f"1 of 1 products compared keep a wrong exposure: product {usdc.pk}: kept $100007.000000 over 2 policies, "
        "but its policies in force are $100000.000000 over 1"
    )


def test_a_checkup_reads_a_bounded_number_of_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    for coin in ("USDC", "DAI", "USDT"):
        for _ in range(3):
            make.policy(make.product(stablecoin=coin), "1000")
    monkeypatch.setattr(diagnosis, "POLICIES_READ_MAX", 7)
    (found,) = exposure_ask(now=utc_now())
    assert found.sentence == "2 of 3 products with cover compared: kept equals the policies"
    monkeypatch.setattr(diagnosis, "PRODUCTS_COMPARED", 1)
    (fewer,) = exposure_ask(now=utc_now())
    assert fewer.sentence.startswith("1 of 3 products")


def test_an_empty_book_is_well() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM policies_policy")
        assert cursor.fetchone() == (0,)
    (found,) = exposure_ask(now=utc_now())
    assert found.level.value == "ok"
