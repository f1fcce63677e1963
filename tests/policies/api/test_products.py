"""GET /api/v2/products and /api/v2/exposure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from policies.models import Policy
from policies.services.exposure import exposure_fold
from tests.policies.conftest import NOW

pytestmark = pytest.mark.django_db


def test_the_catalogue_has_532_valid_products_of_560(shop: APIClient) -> None:
    assert shop.get("/api/v2/products").json()["count"] == 560
    assert shop.get("/api/v2/products", {"is_valid": "true"}).json()["count"] == 532
    invalid = shop.get("/api/v2/products", {"is_valid": "false", "page_size": "100"}).json()
    assert invalid["count"] == 28
    assert all(row["chain"] == "bitcoin" and row["invalid_reason"] for row in invalid["results"])


def test_a_product_is_told_with_its_terms(shop: APIClient) -> None:
    query: dict[str, str] = {"coverage_type": "depeg", "chain": "ton", "stablecoin": "USDP"}

    assert shop.get("/api/v2/products", query).json()["results"] == [
        {
            "id": 7 * 14 + 13,
            "coverage_type": "depeg",
            "chain": "ton",
            "stablecoin": "USDP",
            "is_valid": True,
            "invalid_reason": "",
            "life": "active",
            "base_rate": "0.008000",
            "hedge_ratio": "0.200000",
            "sizing_mode": "BUDGET",
            "coverage_usd_min": "100.000000",
            "coverage_usd_max": "5000000.000000",
            "exposure_usd_max": None,
            "has_depeg_market": False,
        }
    ]


def test_exposure_is_told_per_product_from_rows_and_deltas(
    shop: APIClient, sell: Callable[..., Policy], django_assert_num_queries: Any
) -> None:
    sell(external_id="a")
    exposure_fold(now=NOW)
    sell(external_id="b", coverage_usd=Decimal("2500.5"))
    sell(external_id="c", coverage_type="bridge", chain="ton", stablecoin="DAI")

    with django_assert_num_queries(2):  # the key, the exposure
        told = shop.get("/api/v2/exposure").json()

    assert (told["coverage_usd"], told["policies_count"]) == ("202500.500000", 3)
    assert [(row["product_id"], row["coverage_usd"], row["policies_count"]) for row in told["products"]] == [
        (0, "102500.500000", 2),
        (2 * 112 + 7 * 14 + 2, "100000.000000", 1),
    ]
