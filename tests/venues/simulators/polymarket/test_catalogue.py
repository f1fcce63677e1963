"""The seeded markets as Gamma, the CLOB and the Data API tell them to the official SDK."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from polymarket import errors
from polymarket._internal.protocol import decode_v2_outcome_position_id, is_v2_position_id
from polymarket.models.types import to_market_condition_id

from tests.venues.simulators.polymarket.rig import ALICE, BRIDGE, USDC, USDC_V2, USDE, Exchange
from venues.simulators.polymarket.config import Config
from venues.simulators.polymarket.markets import markets_open, seed_rows
from venues.simulators.polymarket.state import State

COINS = [
    "usdc",
    "usdt",
    "dai",
    "frax",
    "busd",
    "usde",
    "susde",
    "usdy",
    "pyusd",
    "gho",
    "lusd",
    "crvusd",
    "mkusd",
]
BRIDGES = [
    "arbitrum-bridge",
    "base-bridge",
    "polygon-bridge",
    "optimism-bridge",
    "wormhole-solana-bridge",
    "ethereum-canonical-bridge",
    "ton-bridge",
    "wrapped-bitcoin",
]


@pytest.fixture(scope="module")
def opened() -> State:
    state = State(Config())
    markets_open(state, now_ms=0)
    return state


def test_there_is_a_market_per_hedgeable_coin_and_bridge(opened):
    slugs = {market.slug for market in opened.markets.values()}
    assert {f"{coin}-depeg-by-december-31-2027" for coin in COINS} <= slugs
    assert {f"{bridge}-hack-by-december-31-2027" for bridge in BRIDGES} <= slugs
    assert not any("usdp" in slug for slug in slugs)
    assert len(slugs) == len(seed_rows()) == 29


def test_the_books_look_like_the_real_ones(opened):
    for market in opened.markets.values():
        if market.neg_risk:
            continue
        bids, asks = opened.books[market.condition_id].levels(market.token_ids[0])
        assert 200 <= asks[0][0] <= 1500
        assert 40 <= asks[0][0] - bids[0][0] <= 700
        worth = sum(price * size for price, size in asks) // 10_000 // 1_000_000
        assert 400 <= worth <= 5_100
        assert 10 <= len(asks) <= 20
        assert bids
        assert all(price % market.tick_e4 == 0 for price, _ in (*bids, *asks))


def test_token_ids_are_long_and_condition_ids_are_hashes(opened):
    for market in opened.markets.values():
        assert len(market.condition_id) == 66
        is_position = [is_v2_position_id(token) for token in market.token_ids]
        assert is_position == [market.version == "v2"] * 2
        if market.version == "v1":
            assert [len(token) for token in market.token_ids] == [77, 77]


def test_a_position_id_is_the_structural_market_id_and_the_outcome(opened):
    market = next(market for market in opened.markets.values() if market.slug == USDC_V2)
    decoded = [decode_v2_outcome_position_id(token) for token in market.token_ids]
    assert [row.outcome_index for row in decoded] == [0, 1]
    assert {to_market_condition_id(row.condition_id) for row in decoded} == {market.condition_id}
    assert market.condition_id.startswith("0x01")


def test_gamma_shows_a_protocol_v2_market_by_its_positions(exchange: Exchange):
    body = exchange.get(f"/gamma/markets/slug/{USDC_V2}")
    assert (body["version"], body["clobTokenIds"], body["resolutionStatus"]) == ("v2", "[]", "active")
    assert body["positionIds"] == list(exchange.tokens(USDC_V2))
    market = exchange.signed_in().get_market(slug=USDC_V2)
    assert (market.version, market.outcomes.yes.token_id) == ("v2", None)
    assert [market.outcomes.yes.position_id, market.outcomes.no.position_id] == body["positionIds"]


def test_the_same_seed_opens_the_same_exchange():
    def told(seed: int) -> list[object]:
        state = State(Config(seed=seed))
        markets_open(state, now_ms=0)
        return [
            (market, state.books[market.condition_id].levels(market.token_ids[0]))
            for market in state.markets.values()
        ]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_the_wording_names_the_coin_the_price_and_the_window(opened):
    usde = next(market for market in opened.markets.values() if market.slug == USDE)
    assert usde.question == "USDe depeg by December 31, 2027?"
    assert "continuous 24-hour period" in usde.description
    assert 'final "High" price below $0.98' in usde.description
    assert usde.ends_at == "2027-12-31T23:59:00Z"


def test_gamma_lists_searches_and_shows(exchange: Exchange):
    client = exchange.signed_in()
    market = client.get_market(slug=USDC)
    assert market.question == "USDC depeg by December 31, 2027?"
    assert (market.trading.minimum_order_size, market.trading.minimum_tick_size) == (5, Decimal("0.001"))
    assert (market.trading.fee_schedule.rate, market.trading.fee_schedule.exponent) == (Decimal("0.07"), 1)
    assert market.version == "v1"
    assert client.get_market(id=market.id) == market
    listed = list(client.list_markets(closed=False).iter_items())
    assert len(listed) == 29
    assert client.get_event(slug="largest-crypto-hack-of-2027").trading.neg_risk
    found = list(client.search(q="bridge hacked").iter_items())
    assert {event.slug for page in found for event in page.events} >= {"ton-bridge-hack-by-december-31-2027"}
    with pytest.raises(errors.RequestRejectedError) as missing:
        client.get_market(slug="no-such-market")
    assert missing.value.status == 404


def test_gamma_prints_json_inside_json(exchange: Exchange):
    body = exchange.get(f"/gamma/markets/slug/{USDC}")
    assert json.loads(body["outcomes"]) == ["Yes", "No"]
    assert json.loads(body["clobTokenIds"]) == list(exchange.tokens(USDC))
    yes, no = json.loads(body["outcomePrices"])
    assert Decimal(yes) + Decimal(no) == 1


def test_the_keyset_pages_cover_every_market_once(exchange: Exchange):
    seen: list[str] = []
    cursor = ""
    for _ in range(10):
        page = exchange.get(f"/gamma/markets/keyset?limit=7&after_cursor={cursor}")
        seen += [row["slug"] for row in page["markets"]]
        cursor = page.get("next_cursor", "")
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 29


def test_the_clob_tells_the_terms_of_a_market(exchange: Exchange):
    yes, no = exchange.tokens(BRIDGE)
    market = exchange.get(f"/clob/markets-by-token/{no}")
    assert (market["primary_token_id"], market["secondary_token_id"]) == (yes, no)
    compact = exchange.get(f"/clob/clob-markets/{market['condition_id']}")
    assert compact["fd"] == {"r": 0.07, "e": 1, "to": True}
    assert (compact["mts"], compact["mos"], compact["nr"], compact["ao"]) == (0.01, 5, True, True)
    full = exchange.get(f"/clob/markets/{market['condition_id']}")
    assert (full["neg_risk"], full["minimum_order_size"], full["closed"]) == (True, 5, False)
    assert exchange.get(f"/clob/tick-size?token_id={yes}") == {"minimum_tick_size": 0.01}
    assert exchange.get(f"/clob/neg-risk?token_id={yes}") == {"neg_risk": True}
    assert exchange.get(f"/clob/fee-rate?token_id={yes}") == {"base_fee": 1000}
    assert exchange.get("/clob/version") == {"version": 2}
    assert exchange.get("/clob/ok") == "OK"
    assert exchange.get("/clob/simplified-markets")["next_cursor"] == "LTE="
    assert exchange.call("GET", "/clob/book?token_id=1") == (
        404,
        {"error": "No orderbook exists for the requested token id"},
    )


@pytest.mark.parametrize(("payout", "paid"), [("YES", "200"), ("NO", "0"), ("50-50", "100")])
def test_a_resolved_market_is_told_and_paid(exchange: Exchange, payout, paid):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[["0.02", "400"]], asks=[["0.03", "350"]])
    client = exchange.signed_in()
    yes, _ = exchange.tokens(USDC)
    client.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    client.place_limit_order(token_id=yes, side="BUY", price="0.01", size="100")
    exchange.admin("/settlement/run")
    exchange.admin("/resolve", slug=USDC, payout=payout)
    statuses = [order["status"] for order in exchange.truth()["orders"].values()]
    assert statuses == ["MATCHED", "CANCELED_MARKET_RESOLVED"]
    market = client.get_market(slug=USDC)
    assert (market.state.closed, market.resolution.uma_resolution_status) == (True, "resolved")
    assert market.outcomes.yes.price == Decimal(paid) / 200
    (resolution,) = client.get_resolutions(condition_ids=market.condition_id)
    assert resolution.payouts[0] == Decimal(paid) / 200
    (position,) = client.list_positions(user=ALICE, status="REDEEMABLE").first_page().items
    assert position.current_size == 200
    before = Decimal(exchange.truth()["accounts"][ALICE]["pusd"])
    assert exchange.admin("/redeem", slug=USDC, address=ALICE)["paid"] == paid
    truth = exchange.truth()
    assert Decimal(truth["accounts"][ALICE]["pusd"]) - before == Decimal(paid)
    assert truth["money"]["is_conserved"]


def test_the_data_api_tells_positions_and_trades_with_their_cost(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, bids=[["0.02", "400"]], asks=[["0.03", "350"]])
    client = exchange.signed_in()
    yes, _ = exchange.tokens(USDC)
    answer = client.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    (transaction,) = client.wait_for_order_fill_settlement(answer)
    (position,) = client.list_positions(user=ALICE).first_page().items
    assert (position.avg_price, position.entry_cost_usdc) == (Decimal("0.03"), Decimal(6))
    assert position.entry_fees_usdc == Decimal("0.4074")
    (trade,) = client.list_trades(user=ALICE).first_page().items
    assert (trade.side, trade.size, trade.price) == ("BUY", Decimal(200), Decimal("0.03"))
    assert trade.transaction_hash == transaction
