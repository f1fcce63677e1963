"""What this practice exchange is: its chain, its contracts, its addresses on the wire and its knobs.

Chain 31337 and the contracts below exist nowhere else, so a signature made for them moves nothing on Polygon.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHAIN_ID = 31337
STANDARD_EXCHANGE = "0x3133700000000000000000000000000000000002"
NEG_RISK_EXCHANGE = "0x3133700000000000000000000000000000000012"
EXCHANGE_V3 = "0x3133700000000000000000000000000000000003"
COLLATERAL_TOKEN = "0x3133700000000000000000000000000000000100"  # noqa: S105 - a contract, not a secret
CONDITIONAL_TOKENS = "0x3133700000000000000000000000000000000200"
NEG_RISK_ADAPTER = "0x3133700000000000000000000000000000000300"
COLLATERAL_ADAPTER = "0x3133700000000000000000000000000000000400"
NEG_RISK_COLLATERAL_ADAPTER = "0x3133700000000000000000000000000000000500"
POSITION_MANAGER = "0x3133700000000000000000000000000000000600"
ROUTER = "0x3133700000000000000000000000000000000700"
BINARY_MODULE = "0x3133700000000000000000000000000000000810"
NEG_RISK_MODULE = "0x3133700000000000000000000000000000000820"
COMBINATORIAL_MODULE = "0x3133700000000000000000000000000000000830"
AUTO_REDEEMER = "0x3133700000000000000000000000000000000900"
ONRAMP = "0x3133700000000000000000000000000000000A00"
USDC_BRIDGED = "0x3133700000000000000000000000000000000110"
USDC_NATIVE = "0x3133700000000000000000000000000000000120"

CTF_PROTOCOL = "v1"
POSITION_PROTOCOL = "v2"
"""A market's `version` in Gamma: conditional tokens or positions of Protocol V2."""

# The deposit-wallet factory's public addresses: docs.polymarket.com/trading/deposit-wallets.
DEPOSIT_WALLET_FACTORY = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
DEPOSIT_WALLET_IMPLEMENTATION = "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB"
DEPOSIT_WALLET_BEACON = "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a"

PRODUCTION_CHAINS = frozenset({137, 80002})
PRODUCTION_EXCHANGES = frozenset(
    address.lower()
    for address in (
        "0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E",
        "0xdFE02Eb6733538f8Ea35D585af8DE5958AD99E40",
        "0xC5d563A36AE78145C45a50134d48A1215220f80a",
        "0xE111180000d2663C0091e4f400237545B87B996B",
        "0xe2222d279d744050d28e00520010520000310F59",
        "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
        "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D",
    )
)
# The dead test network as the older official client still has it in its constants: worthless by definition.
AMOY_CHAIN_ID = 80002
AMOY_STANDARD_EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
AMOY_NEG_RISK_EXCHANGE = "0xe2222d279d744050d28e00520010520000310F59"
AMOY_EXCHANGE_V3 = "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D"
AMOY = (AMOY_CHAIN_ID, AMOY_STANDARD_EXCHANGE, AMOY_NEG_RISK_EXCHANGE, AMOY_EXCHANGE_V3)
PRODUCTION_DOMAINS = ("polymarket.com", "polymarket.us")


class ProductionRefused(ValueError):
    """The configuration names something of the real venue; the practice exchange does not start."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything a practice exchange is started with; seconds are wall-clock seconds."""

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    port_file: Path | None = None
    seed: int = 1
    chain_id: int = CHAIN_ID
    standard_exchange: str = STANDARD_EXCHANGE
    neg_risk_exchange: str = NEG_RISK_EXCHANGE
    exchange_v3: str = EXCHANGE_V3
    mined_seconds: float = 1.0
    confirmed_seconds: float = 1.0
    clock_skew_seconds: float = 60.0
    replenish_seconds: float = 0.0
    seed_markets: bool = True
    is_amoy: bool = False
    limits: str = "warning"
    play: Path | None = None
    play_speed: float = 1.0
    play_as: str = ""

    def __post_init__(self) -> None:
        """Refuse, with a sentence, anything that belongs to the real venue."""
        self._refuse_host()
        if self.is_amoy:
            self._refuse_all_but_amoy()
            return
        if self.chain_id in PRODUCTION_CHAINS:
            raise ProductionRefused(
                f"chain {self.chain_id} is Polymarket's own chain; the practice exchange needs another id "
                f"(default {CHAIN_ID}) so that its signatures are worth nothing there"
            )
        for address in (self.standard_exchange, self.neg_risk_exchange, self.exchange_v3):
            if address.lower() in PRODUCTION_EXCHANGES:
                raise ProductionRefused(
                    f"{address} is a production exchange contract; the practice exchange never verifies "
                    "orders for it"
                )

    def exchange(self, *, neg_risk: bool, protocol: str = CTF_PROTOCOL) -> str:
        """Return the contract that verifies a market's orders; Protocol V2 ignores the neg-risk flag."""
        if protocol == POSITION_PROTOCOL:
            return self.exchange_v3
        return self.neg_risk_exchange if neg_risk else self.standard_exchange

    def exchanges(self) -> tuple[str, str, str]:
        """Return all three exchange contracts."""
        return self.standard_exchange, self.neg_risk_exchange, self.exchange_v3

    def _refuse_host(self) -> None:
        if any(self.host.lower().rstrip(".").endswith(domain) for domain in PRODUCTION_DOMAINS):
            raise ProductionRefused(
                f"{self.host} is a production host; bind the practice exchange to loopback"
            )

    def _refuse_all_but_amoy(self) -> None:
        if (self.chain_id, *self.exchanges()) != AMOY:
            raise ProductionRefused(
                f"the Amoy profile is chain {AMOY_CHAIN_ID} with the test network's own three exchange "
                "contracts and nothing else"
            )


def amoy(**options: Any) -> Config:
    """Return a configuration with the test network's chain and contracts, for clients that know no others."""
    chain_id, standard, neg_risk, third = AMOY
    return Config(
        is_amoy=True,
        chain_id=chain_id,
        standard_exchange=standard,
        neg_risk_exchange=neg_risk,
        exchange_v3=third,
        **options,
    )


def domain_version(protocol: str) -> str:
    """Return the EIP-712 domain version that a market's orders are signed with."""
    return "3" if protocol == POSITION_PROTOCOL else "2"


def share_ledger(protocol: str) -> str:
    """Return the ERC-1155 contract that holds a market's shares."""
    return POSITION_MANAGER if protocol == POSITION_PROTOCOL else CONDITIONAL_TOKENS


def urls(base: str) -> dict[str, str]:
    """Return every service's address under one port; the keys are the official SDK's field names.

    `admin_url` and `geoblock_url` are ours: the SDK has no field for them.
    """
    root = base.rstrip("/")
    ws_root = root.replace("http://", "ws://", 1).replace("https://", "wss://", 1)
    return {
        "clob_url": f"{root}/clob",
        "gamma_url": f"{root}/gamma",
        "data_url": f"{root}/data",
        "relayer_url": f"{root}/relayer",
        "rpc_url": f"{root}/rpc",
        "rfq_url": f"{root}/rfq",
        "clob_market_ws_url": f"{ws_root}/ws/market",
        "clob_user_ws_url": f"{ws_root}/ws/user",
        "geoblock_url": f"{root}/geo/api/geoblock",
        "admin_url": f"{root}/admin",
    }


def contracts(config: Config | None = None) -> dict[str, int | str]:
    """Return chain id and contract addresses under the official SDK's field names."""
    chosen = config or Config()
    return {
        "chain_id": chosen.chain_id,
        "standard_exchange": chosen.standard_exchange,
        "neg_risk_exchange": chosen.neg_risk_exchange,
        "exchange_v3": chosen.exchange_v3,
        "collateral_token": COLLATERAL_TOKEN,
        "conditional_tokens": CONDITIONAL_TOKENS,
        "neg_risk_adapter": NEG_RISK_ADAPTER,
        "collateral_adapter": COLLATERAL_ADAPTER,
        "neg_risk_collateral_adapter": NEG_RISK_COLLATERAL_ADAPTER,
        "position_manager": POSITION_MANAGER,
        "protocol_v2_router": ROUTER,
        "binary_module": BINARY_MODULE,
        "neg_risk_module": NEG_RISK_MODULE,
        "combinatorial_module": COMBINATORIAL_MODULE,
        "auto_redeem_operator": AUTO_REDEEMER,
    }
