"""The contracts that wallets call and approve, by chain: tokens, adapters, router, redeemer.

The exchanges that orders name are rows and settings; these follow from the chain. Polygon's are those of the official
client (polymarket-client 0.14.0, environments.py) and docs.polymarket.com/resources/contracts, /concepts/pusd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from venues.adapters.polymarket.config import POLYGON_CHAIN_ID, PRACTICE_CHAIN_ID


@dataclass(frozen=True, kw_only=True, slots=True)
class WalletContracts:
    """Addresses on one chain. `collateral` is pUSD, `bridged_usdc` (USDC.e) the only asset that can be wrapped."""

    collateral: str
    bridged_usdc: str
    native_usdc: str
    onramp: str
    conditional_tokens: str
    neg_risk_adapter: str
    collateral_adapter: str
    neg_risk_collateral_adapter: str
    position_manager: str
    router: str
    auto_redeemer: str
    binary_module: str
    neg_risk_module: str
    wallet_factory: str = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"

    def redeemer(self, *, neg_risk: bool, is_v2: bool) -> str:
        """The contract that redeems a market's shares for pUSD; never the conditional tokens themselves.

        Those are keyed to USDC.e: redeemed directly with pUSD they burn nothing and pay nothing, without an error.
        """
        if is_v2:
            return self.router
        return self.neg_risk_collateral_adapter if neg_risk else self.collateral_adapter

    def share_ledger(self, *, is_v2: bool) -> str:
        """The ERC-1155 contract that holds a market's shares."""
        return self.position_manager if is_v2 else self.conditional_tokens


_BY_CHAIN: Final = {
    POLYGON_CHAIN_ID: WalletContracts(
        collateral="0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
        bridged_usdc="0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174",
        native_usdc="0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359",
        onramp="0x93070a847efEf7F70739046A929D47a521F5B8ee",
        conditional_tokens="0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
        neg_risk_adapter="0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296",
        collateral_adapter="0xAdA100Db00Ca00073811820692005400218FcE1f",
        neg_risk_collateral_adapter="0xadA2005600Dec949baf300f4C6120000bDB6eAab",
        position_manager="0x006F54F7f9A22e0000CC2AB60031000000ae9fEF",
        router="0x12121212006e4CD160D18e3f00711DA5c3372600",
        auto_redeemer="0xa1200000d0002264C9a1698e001292D00E1b00af",
        binary_module="0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
        neg_risk_module="0x200000900045e3B6259600682756002200028933",
    ),
    PRACTICE_CHAIN_ID: WalletContracts(
        collateral="0x3133700000000000000000000000000000000100",
        bridged_usdc="0x3133700000000000000000000000000000000110",
        native_usdc="0x3133700000000000000000000000000000000120",
        onramp="0x3133700000000000000000000000000000000A00",
        conditional_tokens="0x3133700000000000000000000000000000000200",
        neg_risk_adapter="0x3133700000000000000000000000000000000300",
        collateral_adapter="0x3133700000000000000000000000000000000400",
        neg_risk_collateral_adapter="0x3133700000000000000000000000000000000500",
        position_manager="0x3133700000000000000000000000000000000600",
        router="0x3133700000000000000000000000000000000700",
        auto_redeemer="0x3133700000000000000000000000000000000900",
        binary_module="0x3133700000000000000000000000000000000810",
        neg_risk_module="0x3133700000000000000000000000000000000820",
    ),
}


def wallet_contracts_on(chain_id: int) -> WalletContracts:
    """The contracts of a chain that a configuration may name (`config_from` refuses all others)."""
    return _BY_CHAIN[chain_id]
