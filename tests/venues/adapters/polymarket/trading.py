"""What a test does at the practice exchange: ask, order, rest, wait, and break things on purpose."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import sign_order
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.signers import account_of
from venues.domain.gateway import (
    Accepted,
    FillReport,
    OrderRequest,
    Prepared,
    Settlement,
    Side,
    TimeInForce,
)
from venues.domain.instruments import InstrumentTerms

SLUG = "usdc-depeg-by-december-31-2027"
NEG_RISK_SLUG = "largest-crypto-hack-of-2027-bridge"
STARTED_AT = datetime(2020, 1, 1, tzinfo=UTC)
BOOK = {"bids": [["0.019", "400"]], "asks": [["0.024", "500"], ["0.026", "1000"]]}


def tokens(exchange: PracticeExchange, slug: str = SLUG) -> list[str]:
    found: list[str] = exchange.get("info")["markets"][slug]["token_ids"]
    return found


def terms_of(gateway: Gateway, token: str) -> InstrumentTerms:
    (terms,) = gateway.fetch_instruments([token])
    return terms


def order_for(terms: InstrumentTerms, **changes: Any) -> OrderRequest:
    values: dict[str, Any] = {
        "terms": terms,
        "side": Side.BUY,
        "time_in_force": TimeInForce.FAK,
        "size": Decimal("100"),
        "notional_usd": Decimal("10"),
        "price_limit": Decimal("0.024"),
        "decision_key": f"test:{os.urandom(8).hex()}",
        "generation": 0,
        "created_at": datetime.now(UTC),
    }
    return OrderRequest(**(values | changes))


def strike(exchange: PracticeExchange, **fault: object) -> None:
    """Replace the exchange's plan of faults by this one."""
    exchange.post("faults", seed=7, faults=[fault])


Found = TypeVar("Found")


def until(ask: Callable[[], Found], is_done: Callable[[Found], bool]) -> Found:
    """Ask again until it is done, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not is_done(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def shares(gateway: Gateway, token: str, *, notional_usd: str = "12") -> None:
    """Buy some of a token and wait for them."""
    bought = gateway.prepare(order_for(terms_of(gateway, token), notional_usd=Decimal(notional_usd)))
    assert isinstance(gateway.submit(bought.payload), Accepted)
    settled_fills(gateway, bought, token)


def settled_fills(gateway: Gateway, order: Prepared, token: str) -> list[FillReport]:
    return until(
        lambda: gateway.fetch_fills_of_order(order.client_order_id, since=STARTED_AT, instrument_id=token),
        lambda fills: bool(fills) and all(fill.settlement is Settlement.CONFIRMED for fill in fills),
    )


def resting_bid(account: PolymarketConfig, token: str, *, salt: int) -> str:
    """Post a resting bid of 100 shares at two cents, as a person might at the venue; its order id."""
    body = sign_order(
        account=account_of(account),
        chain_id=account.chain_id,
        exchange=account.exchange,
        domain_version="2",
        wallet=account.wallet,
        signature_type=account.signature_type,
        token_id=token,
        side="BUY",
        maker_amount=2_000_000,
        taker_amount=100_000_000,
        salt=salt,
        timestamp_ms=1_700_000_000_000,
        order_type="GTC",
        owner=account.api_key,
    )
    payload = json.dumps(body, separators=(",", ":")).encode()
    outcome = Gateway(account).submit(payload)
    assert isinstance(outcome, Accepted)
    assert outcome.is_resting
    return outcome.venue_order_id
