"""Whatever the official client computes inside the market's terms passes; its own arithmetic is the witness."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polymarket._internal.actions.orders.limit import _compute_limit_order_amounts
from polymarket._internal.actions.orders.market import _compute_market_order_amounts

from tests.venues.simulators.polymarket.rig import ALICE
from venues.simulators.polymarket.limits import limit_price_e4, require_size
from venues.simulators.polymarket.records import Market
from venues.simulators.polymarket.refusals import Refusal
from venues.simulators.polymarket.requests import OrderRequest
from venues.simulators.polymarket.signatures import SignedFields
from venues.simulators.polymarket.units import UNIT_E6

TICKS = [1000, 100, 50, 25, 10, 1]
TOKEN = "7" * 77


def _market(tick_e4: int) -> Market:
    return Market(
        condition_id="0xc",
        question_id="0xq",
        gamma_id="1",
        slug="m",
        question="?",
        description="",
        resolution_source="",
        token_ids=[TOKEN, "8" * 77],
        outcomes=["Yes", "No"],
        tick_e4=tick_e4,
        min_size_e6=5 * UNIT_E6,
        neg_risk=False,
        fee_rate="0.07",
        fee_exponent=1,
        started_at="",
        ends_at="",
        event_id="1",
        event_slug="e",
        event_title="E",
    )


def _request(side: str, order_type: str, maker: int, taker: int) -> OrderRequest:
    fields = SignedFields(
        salt=1,
        maker=ALICE,
        signer=ALICE,
        token_id=int(TOKEN),
        maker_amount=maker,
        taker_amount=taker,
        side=0 if side == "BUY" else 1,
        signature_type=0,
        timestamp=1,
        metadata=bytes(32),
        builder=bytes(32),
    )
    return OrderRequest(
        fields=fields,
        token_id=TOKEN,
        side=side,
        order_type=order_type,
        expiration=0,
        owner="o",
        post_only=False,
        signature=b"",
    )


@st.composite
def _terms(draw: st.DrawFn) -> tuple[int, int]:
    tick = draw(st.sampled_from(TICKS))
    return tick, draw(st.integers(1, 10_000 // tick - 1)) * tick


@given(_terms(), st.integers(500, 10_000_000), st.sampled_from(["BUY", "SELL"]))
def test_every_limit_order_of_the_client_keeps_its_price(terms, cents, side):
    tick, price = terms
    maker, taker = _compute_limit_order_amounts(
        price=Decimal(price) / 10_000, size=Decimal(cents) / 100, side=side, tick_size=Decimal(tick) / 10_000
    )
    request = _request(side, "GTC", maker, taker)
    assert limit_price_e4(request, _market(tick), order_id="0x") == price
    require_size(request, _market(tick), order_id="0x")


@given(
    _terms(), st.integers(100, 10_000_000), st.sampled_from(["BUY", "SELL"]), st.sampled_from(["FAK", "FOK"])
)
def test_every_market_order_of_the_client_keeps_its_cap(terms, cents, side, order_type):
    tick, price = terms
    amount = Decimal(cents) / 100
    maker, taker = _compute_market_order_amounts(
        amount=amount, price=Decimal(price) / 10_000, side=side, tick_size=Decimal(tick) / 10_000
    )
    # The client itself refuses a BUY whose rounding could reach the next finest tick.
    assume(taker > 0 and (side == "SELL" or maker * 10_000 < taker * (price + 1)))
    request = _request(side, order_type, maker, taker)
    assert limit_price_e4(request, _market(tick), order_id="0x") == price
    require_size(request, _market(tick), order_id="0x")


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_price_between_two_ticks_is_refused(side):
    money, shares = 2_550_000, 100_000_000
    maker, taker = (money, shares) if side == "BUY" else (shares, money)
    with pytest.raises(Refusal, match=r"Price \(0\.0255\) breaks minimum tick size rule: 0\.001"):
        limit_price_e4(_request(side, "GTC", maker, taker), _market(10), order_id="0x")
