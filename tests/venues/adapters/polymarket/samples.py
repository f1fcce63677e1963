"""Requests, terms and settings that the tests of the Polymarket adapter start from."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from venues.adapters.polymarket.config import PolymarketConfig, config_from
from venues.domain.gateway import OrderRequest, Side, TimeInForce
from venues.domain.instruments import InstrumentTerms

KEY = "0x" + "11" * 32
SIGNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
WALLET = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"
TOKEN = "71321045679252212594626385532706912750332728571942532289631379312455583992563"
# An id in the namespace of the venue's second protocol: bits 40 to 103 are zero.
TOKEN_V3 = str((1 << 248) | 1)
CREATED_AT = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)

PRACTICE: dict[str, Any] = {
    "clob_url": "http://127.0.0.1:9/clob",
    "gamma_url": "http://127.0.0.1:9/gamma",
    "data_url": "http://127.0.0.1:9/data",
    "relayer_url": "http://127.0.0.1:9/relayer",
    "rpc_url": "http://127.0.0.1:9/rpc",
    "geoblock_url": "http://127.0.0.1:9/geo/api/geoblock",
    "chain_id": 31337,
    "private_key": KEY,
    "api_key": "7d5775f6-071f-4a3b-9037-49cb209e090e",
    "secret": base64.urlsafe_b64encode(b"k" * 32).decode(),
    "passphrase": "open sesame",
    "wallet": "",
    "signature_type": 0,
    "exchange": "0x3133700000000000000000000000000000000002",
    "neg_risk_exchange": "0x3133700000000000000000000000000000000012",
    "exchange_v3": "0x3133700000000000000000000000000000000003",
    "salt_secret": "a salt secret of more than thirty-two characters",
    "live_allowed": False,
}
PRODUCTION: dict[str, Any] = PRACTICE | {
    "clob_url": "https://clob.polymarket.com",
    "gamma_url": "https://gamma-api.polymarket.com",
    "data_url": "https://data-api.polymarket.com",
    "relayer_url": "https://relayer-v2.polymarket.com",
    "rpc_url": "https://polygon.drpc.org",
    "geoblock_url": "https://polymarket.com/api/geoblock",
    "chain_id": 137,
    "exchange": "0xE111180000d2663C0091e4f400237545B87B996B",
    "neg_risk_exchange": "0xe2222d279d744050d28e00520010520000310F59",
    "exchange_v3": "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
    "live_allowed": True,
}


def practice_config(**changes: Any) -> PolymarketConfig:
    return config_from(PRACTICE | changes)


def terms(**changes: Any) -> InstrumentTerms:
    values: dict[str, Any] = {
        "venue_code": "polymarket",
        "instrument_id": TOKEN,
        "condition_id": "0x" + "c0" * 32,
        "market_id": "1",
        "slug": "usdc-depeg",
        "question": "USDC depeg?",
        "description": "",
        "outcome": "Yes",
        "tick_size": Decimal("0.001"),
        "size_min": Decimal(5),
        "notional_usd_min": Decimal(1),
        "fee_rate": Decimal("0.07"),
        "fee_exponent": 1,
        "neg_risk": False,
        "exchange_domain": "2",
        "accepting_orders": True,
        "closed": False,
        "end_at": None,
    }
    return InstrumentTerms(**(values | changes))


def request(**changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "terms": terms(),
        "side": Side.BUY,
        "time_in_force": TimeInForce.FAK,
        "size": Decimal("100"),
        "notional_usd": Decimal("10"),
        "price_limit": Decimal("0.030"),
        "decision_key": "usdc-depeg:buy:1",
        "generation": 0,
        "created_at": CREATED_AT,
    }
    return OrderRequest(**(values | changes))
