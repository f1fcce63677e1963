"""POST /api/v2/quote/multi-dimensional: the published price, by words or by on-chain ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from policies.models import OnchainId, Policy, Product, RateFactor

pytestmark = pytest.mark.django_db
URL = "/api/v2/quote/multi-dimensional"


def body(**changes: Any) -> dict[str, Any]:
    return {
        "coverage_type": "depeg",
        "chain": "ethereum",
        "stablecoin": "USDC",
        "coverage_amount": "100000",
        "duration_days": 30,
    } | changes


def test_the_published_golden_value(shop: APIClient) -> None:
    answer = shop.post(URL, body())

    assert answer.status_code == 200
    told = answer.json()
    assert told["premium"] == "65.75"
    assert told["breakdown"] == {
        "base_rate": "0.008000",
        "chain_multiplier": "1.000000",
        "stablecoin_addon": "0.000000",
        "annual_rate": "0.008000000000",
        "coverage_amount": "100000.000000",
        "duration_days": 30,
    }
    quoted, until = (datetime.fromisoformat(told[name]) for name in ("quoted_at", "valid_until"))
    assert until - quoted == timedelta(seconds=30)
    assert not Policy.objects.exists()


def test_onchain_ids_name_the_same_product(shop: APIClient) -> None:
    told = shop.post(URL, body(coverage_type=2, chain=6, stablecoin=5)).json()

    assert (told["coverage_type"], told["chain"], told["stablecoin"]) == ("bridge", "solana", "USDe")
    assert told["product_id"] == 2 * 112 + 6 * 14 + 5
    # 100,000 x (2.0 % x 1.4 + 0.15 %) x 30 / 365
    assert told["premium"] == "242.47"


def test_onchain_ids_are_configuration(shop: APIClient) -> None:
    OnchainId.objects.filter(dimension="stablecoin", member="USDC").update(onchain_id=99)

    assert shop.post(URL, body(stablecoin=99)).json()["stablecoin"] == "USDC"
    assert shop.post(URL, body(stablecoin=0)).status_code == 422


def test_an_edited_rate_changes_the_price_at_once(shop: APIClient) -> None:
    Product.objects.filter(pk=0).update(base_rate=Decimal("0.016"))
    assert shop.post(URL, body()).json()["premium"] == "131.51"
    RateFactor.objects.filter(member="USDC").update(factor=Decimal("0.001"))
    assert shop.post(URL, body()).json()["premium"] == "139.73"


def test_a_key_that_may_only_read_gets_quotes(client_with: Callable[..., APIClient]) -> None:
    assert client_with("read").post(URL, body(), format="json").status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"coverage_type": "quake"}, 422, "coverage_type"),
        ({"coverage_type": "oracle", "chain": "bitcoin"}, 422, "coverage_type"),
        ({"coverage_amount": "0"}, 422, "coverage_amount"),
        ({"coverage_amount": "-1"}, 422, "coverage_amount"),
        ({"coverage_amount": "99999999999"}, 422, "coverage_amount"),
        ({"coverage_amount": 1.5}, 400, "coverage_amount"),
        ({"duration_days": 0}, 422, "duration_days"),
        ({"duration_days": 366}, 422, "duration_days"),
        ({"duration_days": 10**30}, 400, "duration_days"),
        ({"leverage": 10}, 400, "leverage"),
    ],
)
def test_bad_input_names_its_field_and_remedy(
    shop: APIClient, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = shop.post(URL, body(**changes))

    assert answer.status_code == status
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["remedy"]
