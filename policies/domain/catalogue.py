"""The 560 products: five coverage types on eight chains for fourteen stablecoins, and which of them make
sense.

`product_number` is OUR dense id (0..559) and the primary key of Product. The ids that contracts use are data:
rows of OnchainId, first filled from `ONCHAIN_IDS` below, which is the one place that states them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class CoverageType(StrEnum):
    """The event insured."""

    DEPEG = "depeg"
    SMART_CONTRACT = "smart_contract"
    BRIDGE = "bridge"
    ORACLE = "oracle"
    CEX_LIQUIDATION = "cex_liquidation"


class Chain(StrEnum):
    """Where the insured asset lives."""

    ETHEREUM = "ethereum"
    ARBITRUM = "arbitrum"
    BASE = "base"
    POLYGON = "polygon"
    OPTIMISM = "optimism"
    BITCOIN = "bitcoin"
    SOLANA = "solana"
    TON = "ton"


class Stablecoin(StrEnum):
    """The asset insured, spelt as its issuer spells it."""

    USDC = "USDC"
    USDT = "USDT"
    DAI = "DAI"
    FRAX = "FRAX"
    BUSD = "BUSD"
    USDE = "USDe"
    SUSDE = "sUSDe"
    USDY = "USDY"
    PYUSD = "PYUSD"
    GHO = "GHO"
    LUSD = "LUSD"
    CRVUSD = "crvUSD"
    MKUSD = "mkUSD"
    USDP = "USDP"


class Dimension(StrEnum):
    """The three axes of the catalogue."""

    COVERAGE_TYPE = "coverage_type"
    CHAIN = "chain"
    STABLECOIN = "stablecoin"


class ProductLife(StrEnum):
    """Only an active product is sold; the others keep the cover that is in force."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"


def readable(member: CoverageType | Chain | Stablecoin | str) -> str:
    """A member as people write it: `smart_contract` is "Smart contract", `ton` is "TON", a coin stays as it
    is.
    """
    word = str(member)
    if word in _SPELLINGS or word in set(Stablecoin):
        return _SPELLINGS.get(word, word)
    return word.replace("_", " ").capitalize()


_SPELLINGS = {CoverageType.CEX_LIQUIDATION.value: "CEX liquidation", Chain.TON.value: "TON"}


class SizingMode(StrEnum):
    """How a hedge is sized: BUDGET spends a share of the cover, PAYOUT buys a payout of that share."""

    BUDGET = "BUDGET"
    PAYOUT = "PAYOUT"


COVERAGE_TYPES = tuple(CoverageType)
CHAINS = tuple(Chain)
STABLECOINS = tuple(Stablecoin)
PRODUCTS_PER_COVERAGE = len(CHAINS) * len(STABLECOINS)
PRODUCT_COUNT = len(COVERAGE_TYPES) * PRODUCTS_PER_COVERAGE

# The dimension members' on-chain ids, as the founding documents order them. Contracts of other deployments
# order chains and coins differently: change the OnchainId rows there, not this table.
ONCHAIN_IDS: dict[Dimension, dict[str, int]] = {
    Dimension.COVERAGE_TYPE: {member.value: number for number, member in enumerate(COVERAGE_TYPES)},
    Dimension.CHAIN: {member.value: number for number, member in enumerate(CHAINS)},
    Dimension.STABLECOIN: {member.value: number for number, member in enumerate(STABLECOINS)},
}

# Bitcoin runs no contracts that could be exploited and no oracle that could fail them.
_NOT_ON_BITCOIN = {
    CoverageType.SMART_CONTRACT: "Bitcoin runs no smart contracts, so there is nothing to insure",
    CoverageType.ORACLE: "Bitcoin runs no contracts that read an oracle, so there is nothing to insure",
}

# Coins on which prediction markets offer nothing: sold all the same, and shown as unhedgeable there.
COINS_WITHOUT_DEPEG_MARKET = frozenset({Stablecoin.USDP})


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductKey:
    """One cell of the catalogue."""

    coverage_type: CoverageType
    chain: Chain
    stablecoin: Stablecoin

    @property
    def number(self) -> int:
        """Our id, 0..559: coverage_type x 112 + chain x 14 + stablecoin."""
        return (
            COVERAGE_TYPES.index(self.coverage_type) * PRODUCTS_PER_COVERAGE
            + CHAINS.index(self.chain) * len(STABLECOINS)
            + STABLECOINS.index(self.stablecoin)
        )

    @property
    def invalid_reason(self) -> str:
        """Why this combination is not insurable; empty when it is."""
        return _NOT_ON_BITCOIN.get(self.coverage_type, "") if self.chain is Chain.BITCOIN else ""

    def __str__(self) -> str:
        return f"{self.coverage_type.replace('_', ' ')} · {self.chain} · {self.stablecoin}"


def product_key(number: int) -> ProductKey:
    """The cell with our id `number`. Raises ValueError outside 0..559."""
    if not 0 <= number < PRODUCT_COUNT:
        raise ValueError(f"product {number} does not exist: ids run from 0 to {PRODUCT_COUNT - 1}")
    coverage, rest = divmod(number, PRODUCTS_PER_COVERAGE)
    chain, coin = divmod(rest, len(STABLECOINS))
    return ProductKey(
        coverage_type=COVERAGE_TYPES[coverage], chain=CHAINS[chain], stablecoin=STABLECOINS[coin]
    )


def all_products() -> Iterator[ProductKey]:
    """The 560 cells in the order of their ids."""
    return (product_key(number) for number in range(PRODUCT_COUNT))


def product_numbers(
    *,
    coverage_type: CoverageType | None = None,
    chain: Chain | None = None,
    stablecoin: Stablecoin | None = None,
) -> list[int]:
    """Our ids of the cells that match every given member."""
    return [
        key.number
        for key in all_products()
        if coverage_type in (None, key.coverage_type)
        and chain in (None, key.chain)
        and stablecoin in (None, key.stablecoin)
    ]
