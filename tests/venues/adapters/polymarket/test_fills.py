"""A trade becomes one fill per order of ours in it, exact to the unit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.venues.adapters.polymarket.samples import SIGNER, TOKEN
from venues.adapters.polymarket.fills import FeeTerms, Us, fill_reports, settlement_of
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import FillReport, Settlement, Side

US = Us(wallet=SIGNER.lower(), api_key="our-key")
FEES = FeeTerms(rate=Decimal("0.07"), exponent=1)
OURS, THEIRS, OTHER_TOKEN = "0x" + "ab" * 32, "0x" + "CD" * 32, "77"


def maker(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": THEIRS,
        "owner": "their-key",
        "maker_address": "0x" + "99" * 20,
        "matched_amount": "100",
        "price": "0.024",
        "asset_id": TOKEN,
        "side": "SELL",
    } | changes


def trade(**changes: Any) -> dict[str, Any]:
    return {
        "id": "t-1",
        "taker_order_id": OURS.upper().replace("0X", "0x"),
        "market": "0x" + "c0" * 32,
        "asset_id": TOKEN,
        "side": "BUY",
        "size": "100",
        "price": "0.024",
        "fee_rate_bps": "1000",
        "status": "TRADE_STATUS_CONFIRMED",
        "match_time": "1795000000",
        "owner": "our-key",
        "maker_address": SIGNER,
        "trader_side": "TAKER",
        "transaction_hash": "0xfeed",
        "maker_orders": [maker()],
    } | changes


def fills(body: dict[str, Any]) -> list[FillReport]:
    return fill_reports(body, us=US, fee_terms=FEES)


def test_a_taking_fill_in_full() -> None:
    assert fills(trade()) == [
        FillReport(
            client_order_id=OURS,
            venue_trade_id="t-1",
            instrument_id=TOKEN,
            side=Side.BUY,
            size=Decimal(100),
            price=Decimal("0.024"),
            notional_usd=Decimal("2.4"),
            fee_usd=Decimal("0.16396"),
            settlement=Settlement.CONFIRMED,
            matched_at=datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC),
            transaction_hash="0xfeed",
        )
    ]


def test_several_resting_prices_add_up_to_what_was_paid() -> None:
    makers = [maker(matched_amount="60", price="0.02"), maker(matched_amount="40", price="0.03")]
    (fill,) = fills(trade(maker_orders=makers))

    assert fill.notional_usd == Decimal("2.4")
    assert fill.price == Decimal("0.024")
    # 60 x 0.07 x 0.02 x 0.98 + 40 x 0.07 x 0.03 x 0.97
    assert fill.fee_usd == Decimal("0.16380")


def test_a_resting_buy_of_the_other_outcome_counts_from_the_other_end() -> None:
    (fill,) = fills(trade(maker_orders=[maker(asset_id=OTHER_TOKEN, side="BUY", price="0.976")]))

    assert (fill.notional_usd, fill.price) == (Decimal("2.4"), Decimal("0.024"))


def test_makers_that_do_not_add_up_leave_the_trades_own_price() -> None:
    (fill,) = fills(trade(maker_orders=[maker(matched_amount="60", price="0.02")]))

    assert fill.notional_usd == Decimal("2.4")


def test_a_resting_order_of_ours_pays_no_fee() -> None:
    mine = maker(order_id=OURS, maker_address=SIGNER.lower(), asset_id=OTHER_TOKEN, side="BUY", price="0.976")
    (fill,) = fills(trade(trader_side="MAKER", taker_order_id=THEIRS, maker_orders=[maker(), mine]))

    assert (fill.client_order_id, fill.instrument_id, fill.side) == (OURS, OTHER_TOKEN, Side.BUY)
    assert (fill.size, fill.price, fill.notional_usd, fill.fee_usd) == (
        Decimal(100),
        Decimal("0.976"),
        Decimal("97.6"),
        Decimal(0),
    )


def test_both_sides_of_a_trade_with_ourselves_are_reported() -> None:
    mine = maker(order_id="0x" + "ee" * 32, owner="OUR-KEY")
    orders = [fill.client_order_id for fill in fills(trade(maker_orders=[mine]))]

    assert orders == [OURS, "0x" + "ee" * 32]


def test_a_trade_between_strangers_is_none_of_ours() -> None:
    assert fills(trade(trader_side="MAKER", owner="x", maker_address="0x" + "88" * 20)) == []


@pytest.mark.parametrize(
    ("word", "settlement"),
    [
        ("MATCHED", Settlement.MATCHED),
        ("MATCHED_NOT_BROADCASTED", Settlement.MATCHED),
        ("TRADE_STATUS_MINED", Settlement.MINED),
        ("RETRYING", Settlement.RETRYING),
        ("confirmed", Settlement.CONFIRMED),
        ("TRADE_STATUS_FAILED", Settlement.FAILED),
        ("TELEPORTED", Settlement.MATCHED),
    ],
)
def test_settlement_words(word: str, settlement: Settlement) -> None:
    assert settlement_of(word) is settlement


@pytest.mark.parametrize(
    "changes",
    [
        {"size": None},
        {"size": "0"},
        {"size": "-1"},
        {"price": "1.5", "maker_orders": []},
        {"status": None},
        {"match_time": "yesterday"},
        {"side": "HOLD"},
        {"taker_order_id": ""},
        {"maker_orders": ["x"]},
    ],
)
def test_a_trade_that_cannot_be_read_is_never_skipped(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        fills(trade(**changes))
