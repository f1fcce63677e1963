"""The 560 products: ids, validity, and the one table of on-chain ids."""

from __future__ import annotations

from collections import Counter

import pytest

from policies.domain.catalogue import (
    CHAINS,
    COVERAGE_TYPES,
    ONCHAIN_IDS,
    STABLECOINS,
    Chain,
    CoverageType,
    Dimension,
    ProductKey,
    Stablecoin,
    all_products,
    product_key,
    product_numbers,
)


def test_there_are_560_products_in_the_order_of_their_ids() -> None:
    keys = list(all_products())

    assert len(set(keys)) == 560
    assert [key.number for key in keys] == list(range(560))


def test_532_products_are_valid_and_each_of_the_others_says_why() -> None:
    invalid = [key for key in all_products() if key.invalid_reason]

    assert len(invalid) == 28
    assert Counter((key.coverage_type, key.chain) for key in invalid) == {
        (CoverageType.SMART_CONTRACT, Chain.BITCOIN): 14,
        (CoverageType.ORACLE, Chain.BITCOIN): 14,
    }


@pytest.mark.parametrize(
    ("key", "number"),
    [
        (("depeg", "ethereum", "USDC"), 0),
        (("depeg", "ethereum", "USDP"), 13),
        (("depeg", "arbitrum", "USDC"), 14),
        (("smart_contract", "ethereum", "USDC"), 112),
        (("cex_liquidation", "ton", "USDP"), 559),
    ],
)
def test_an_id_is_coverage_112_chain_14_coin_1(key: tuple[str, str, str], number: int) -> None:
    coverage_type, chain, stablecoin = key
    built = ProductKey(
        coverage_type=CoverageType(coverage_type), chain=Chain(chain), stablecoin=Stablecoin(stablecoin)
    )

    assert built.number == number
    assert product_key(number) == built


@pytest.mark.parametrize("number", [-1, 560, 10**9])
def test_ids_outside_the_catalogue_name_nothing(number: int) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        product_key(number)


def test_onchain_ids_are_those_of_the_founding_documents() -> None:
    assert ONCHAIN_IDS == {
        Dimension.COVERAGE_TYPE: {
            "depeg": 0,
            "smart_contract": 1,
            "bridge": 2,
            "oracle": 3,
            "cex_liquidation": 4,
        },
        Dimension.CHAIN: {
            "ethereum": 0,
            "arbitrum": 1,
            "base": 2,
            "polygon": 3,
            "optimism": 4,
            "bitcoin": 5,
            "solana": 6,
            "ton": 7,
        },
        Dimension.STABLECOIN: {
            "USDC": 0,
            "USDT": 1,
            "DAI": 2,
            "FRAX": 3,
            "BUSD": 4,
            "USDe": 5,
            "sUSDe": 6,
            "USDY": 7,
            "PYUSD": 8,
            "GHO": 9,
            "LUSD": 10,
            "crvUSD": 11,
            "mkUSD": 12,
            "USDP": 13,
        },
    }


def test_products_are_found_by_any_of_their_members() -> None:
    assert len(product_numbers(coverage_type=CoverageType.DEPEG)) == len(CHAINS) * len(STABLECOINS)
    assert len(product_numbers(chain=Chain.TON, stablecoin=Stablecoin.DAI)) == len(COVERAGE_TYPES)
    assert product_numbers(
        coverage_type=CoverageType.BRIDGE, chain=Chain.SOLANA, stablecoin=Stablecoin.GHO
    ) == [317]
    assert len(product_numbers()) == 560
