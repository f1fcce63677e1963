"""The venue's explicit no, word for word, and nothing changed by it."""

from __future__ import annotations

from typing import Any

import pytest
from polymarket import errors

from tests.venues.simulators.polymarket.rig import (
    ALICE,
    BOB,
    BOB_KEY,
    USDC,
    USDE,
    Caller,
    Exchange,
)
from venues.simulators.polymarket.wallets import deposit_wallets

BOOK = {"bids": [["0.020", "400"]], "asks": [["0.030", "350"]]}


@pytest.fixture
def raw(exchange: Exchange) -> Caller:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, **BOOK)
    return Caller(exchange)


def _refused(raw: Caller, body: Any, *, status: int = 400) -> str:
    before = raw.exchange.truth()
    got, answer = raw.post(body)
    after = raw.exchange.truth()
    assert got == status, answer
    for part in ("trades", "accounts", "money"):
        assert after[part] == before[part]
    return str(answer["error"])


def test_the_raw_caller_is_otherwise_welcome(raw):
    status, answer = raw.post(raw.order())
    assert (status, answer["status"], answer["takingAmount"]) == (200, "matched", "100")
    assert set(answer) == {
        "success",
        "errorMsg",
        "orderID",
        "status",
        "makingAmount",
        "takingAmount",
        "tradeIDs",
        "transactionsHashes",
    }


def test_the_same_bytes_are_refused_as_duplicated_and_not_matched_twice(raw):
    body = raw.order()
    order_id = raw.post(body)[1]["orderID"]
    assert _refused(raw, body) == f"order {order_id} is invalid. Duplicated."
    assert len(raw.exchange.truth()["orders"]) == 1


@pytest.mark.parametrize(
    ("order_type", "maker_amount", "words"),
    [
        ("FOK", 30_000_000, "order couldn't be fully filled. FOK orders are fully filled or killed."),
        (
            "FAK",
            2_000_000,
            "no orders found to match with FAK order. "
            "FAK orders are partially filled or killed if no match is found.",
        ),
    ],
)
def test_a_killed_order_is_remembered_as_duplicate(raw, order_type, maker_amount, words):
    shares = 1_000_000_000 if order_type == "FOK" else 100_000_000
    body = raw.order(order_type=order_type, maker_amount=maker_amount, taker_amount=shares)
    assert _refused(raw, body) == words
    assert _refused(raw, body).endswith("is invalid. Duplicated.")
    (order,) = raw.exchange.truth()["orders"].values()
    assert (order["status"], order["filled_shares"]) == ("KILLED", "0")


def test_an_order_refused_before_the_engine_may_come_again(raw):
    body = raw.order(maker_amount=3_000_000_000, taker_amount=100_000_000_000)
    assert "not enough balance" in _refused(raw, body)
    raw.exchange.admin("/fund", address=ALICE, pusd="5000")
    assert raw.post(body)[0] == 200


def test_the_balance_must_cover_amount_and_fee(raw):
    words = _refused(raw, raw.order(maker_amount=1_000_000_000, taker_amount=33_333_300_000))
    assert words == (
        "not enough balance / allowance: the balance is not enough -> "
        "balance: 1000000000, order amount: 1000712950"
    )


def test_open_orders_and_unmined_trades_are_spoken_for(raw):
    raw.exchange.admin("/settlement", mined_seconds=60)
    resting = raw.order(order_type="GTC", maker_amount=900_000_000, taker_amount=90_000_000_000, salt=2)
    assert raw.post(resting)[1]["status"] == "live"
    assert raw.post(raw.order())[1]["status"] == "matched"
    words = _refused(raw, raw.order(maker_amount=97_000_000, taker_amount=3_233_330_000, salt=3))
    assert words.endswith(f"balance: {100_000_000 - 3_000_000 - 203_700}, order amount: 97509250")


def test_an_unapproved_wallet_is_told_the_spender(raw):
    raw.exchange.admin("/account", address=ALICE, approved=False)
    assert _refused(raw, raw.order()) == (
        "not enough balance / allowance: the allowance is not enough -> "
        "spender: 0x3133700000000000000000000000000000000002, allowance: 0"
    )


def test_a_resting_price_must_be_on_the_tick(raw):
    body = raw.order(order_type="GTC", maker_amount=2_550_000, taker_amount=100_000_000)
    assert _refused(raw, body).endswith("is invalid. Price (0.0255) breaks minimum tick size rule: 0.001")


@pytest.mark.parametrize(("maker", "taker"), [(100_000_000, 100_000_000), (10_000, 100_000_000)])
def test_a_price_must_lie_between_one_tick_and_one_less_a_tick(raw, maker, taker):
    body = raw.order(order_type="GTC", maker_amount=maker, taker_amount=taker)
    assert "breaks minimum tick size rule: 0.001" in _refused(raw, body)


def test_a_resting_order_has_a_minimum_size(raw):
    body = raw.order(order_type="GTC", maker_amount=80_000, taker_amount=4_000_000)
    assert _refused(raw, body).endswith("is invalid. Size (4) lower than the minimum: 5")


def test_a_market_buy_is_worth_a_dollar_at_least(raw):
    body = raw.order(maker_amount=990_000, taker_amount=33_000_000)
    assert _refused(raw, body) == "invalid amount for a marketable BUY order ($0.99), min size: $1"


@pytest.mark.parametrize(
    ("side", "maker", "taker", "words"),
    [
        ("BUY", 3_001_000, 100_000_000, "market buy orders maker amount supports a max accuracy of 2"),
        ("BUY", 3_000_000, 100_000_001, "taker amount a max of 5 decimals"),
        ("SELL", 100_001_000, 2_000_000, "sell orders maker amount supports a max accuracy of 2"),
    ],
)
def test_a_market_order_with_too_many_decimals_is_refused(raw, side, maker, taker, words):
    assert words in _refused(raw, raw.order(side=side, maker_amount=maker, taker_amount=taker))


def test_a_post_only_order_may_not_cross(raw):
    body = raw.order(order_type="GTC", postOnly=True)
    assert _refused(raw, body) == "invalid post-only order: order crosses book"
    resting = raw.order(order_type="GTC", postOnly=True, maker_amount=2_500_000, salt=2)
    assert raw.post(resting)[1]["status"] == "live"


@pytest.mark.parametrize(
    "change",
    [
        {"owner": 1},
        {"makerAmount": 3_000_000},
        {"makerAmount": "-1"},
        {"makerAmount": "0"},
        {"timestamp": 1},
        {"tokenId": "0x12"},
        {"side": "buy"},
        {"signatureType": 4},
        {"signatureType": True},
        {"metadata": "0x"},
        {"signature": "0xzz"},
        {"maker": "0x12"},
        {"orderType": "IOC"},
        {"postOnly": "yes"},
    ],
)
def test_a_field_of_the_wrong_type_is_an_invalid_payload(raw, change):
    assert _refused(raw, raw.order(**change)) == "Invalid order payload"


def test_a_salt_is_a_json_number(raw):
    body = raw.order()
    body["order"]["salt"] = "1"
    assert _refused(raw, body) == "Invalid order payload"


def test_an_order_of_the_first_version_is_refused_by_name(raw):
    body = raw.order()
    body["order"] |= {"nonce": "0", "feeRateBps": "0", "taker": "0x" + "00" * 20}
    assert _refused(raw, body) == "order_version_mismatch"


def test_a_signature_over_other_numbers_is_refused(raw):
    assert _refused(raw, raw.order(makerAmount="2900000")) == "invalid signature"


def test_owner_and_signer_must_be_those_of_the_key(raw):
    assert _refused(raw, raw.order(owner="00000000-0000-0000-0000-000000000000")) == (
        "the order owner has to be the owner of the API KEY"
    )
    foreign = raw.order(private_key=BOB_KEY)
    assert _refused(raw, foreign) == "the order signer address has to be the address of the API KEY"


def test_a_deposit_wallet_of_somebody_else_is_refused(raw):
    wallet = deposit_wallets(BOB)[0]
    body = raw.order(maker=wallet, signer=wallet, signatureType=3)
    assert _refused(raw, body) == "the order signer address has to be the address of the API KEY"


def test_a_registered_proxy_is_traded_by_its_owner_only(raw):
    proxy = "0x3133700000000000000000000000000000007777"
    raw.exchange.admin("/fund", address=proxy, pusd="10", owner=BOB, signature_type=1)
    body = raw.order(maker=proxy, signatureType=1)
    assert _refused(raw, body) == "the order signer address has to be the address of the API KEY"
    raw.exchange.admin("/account", address=proxy, owner=ALICE, signature_type=1)
    assert _refused(raw, body) == "invalid signature"


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ("banned", f"'{ALICE}' address banned"),
        ("closed_only", f"'{ALICE}' address in closed only mode"),
        ("not_allowed", "maker address not allowed, please use the deposit wallet flow"),
    ],
)
def test_a_wallet_in_disgrace_is_told_so(raw, standing, words):
    raw.exchange.admin("/account", address=ALICE, standing=standing)
    assert _refused(raw, raw.order()) == words


def test_a_market_that_is_not_open_takes_no_orders(raw):
    raw.exchange.admin("/market", slug=USDC, accepting_orders=False)
    assert _refused(raw, raw.order()) == "the market is not yet ready to process new orders"
    assert _refused(raw, raw.order(token_id="9" * 77), status=404) == "market not found"
    raw.exchange.admin("/resolve", slug=USDC, payout="NO")
    words = _refused(raw, raw.order(), status=404)
    assert words == "No orderbook exists for the requested token id"


def test_a_batch_has_at_most_fifteen_orders(raw):
    status, answer = raw.post([raw.order(salt=salt) for salt in range(16)], path="/orders")
    assert (status, answer["error"]) == (400, "Too many orders in payload: 16, max allowed: 15")


@pytest.mark.parametrize(
    "headers",
    [
        {"POLY_API_KEY": "nobody"},
        {"POLY_PASSPHRASE": "wrong"},
        {"POLY_SIGNATURE": "wrong"},
        {"POLY_ADDRESS": BOB},
        {"POLY_TIMESTAMP": "soon"},
    ],
)
def test_any_wrong_credential_is_unauthorized(raw, headers):
    status, answer = raw.post(raw.order(), **headers)
    assert (status, answer["error"]) == (401, "Unauthorized/Invalid api key")
    assert raw.exchange.truth()["orders"] == {}


def test_a_clock_that_is_off_is_unauthorized(raw):
    assert raw.post(raw.order(), skew=-30)[0] == 200
    status, answer = raw.post(raw.order(salt=2), skew=-120)
    assert (status, answer["error"]) == (401, "Unauthorized/Invalid api key")


def test_a_login_with_a_clock_that_is_off_is_refused(exchange):
    exchange.admin("/clock", offset_seconds=3600)
    with pytest.raises(errors.RequestRejectedError) as refused:
        exchange.client()
    assert (refused.value.status, str(refused.value)) == (401, "Invalid L1 Request headers")


def test_a_login_signed_for_the_real_chain_is_refused_with_a_reason(exchange):
    with pytest.raises(errors.RequestRejectedError, match="signed for chain 137, a production chain"):
        exchange.client(chain_id=137)


def test_a_tick_that_changed_between_signing_and_posting_is_refused(raw):
    body = raw.order(order_type="GTC", maker_amount=2_500_000)
    raw.exchange.admin("/market", slug=USDC, tick="0.01")
    assert "Price (0.025) breaks minimum tick size rule: 0.01" in _refused(raw, body)


def test_an_unread_deposit_is_not_money_yet(exchange):
    exchange.admin("/fund", address=BOB, pusd="100", seen=False)
    bob = exchange.client(BOB_KEY, wallet=BOB)
    assert bob.get_balance_allowance(asset_type="COLLATERAL").balance == 0
    yes, _ = exchange.tokens(USDE)
    order = bob.create_market_order(token_id=yes, side="BUY", amount="10", max_price="0.2")
    with pytest.raises(errors.RequestRejectedError, match="not enough balance"):
        bob.post_order(order)
    asked = {"asset_type": "COLLATERAL", "signature_type": 0}
    bob._ctx.secure_clob.get_bytes("/balance-allowance/update", params=asked)
    assert bob.post_order(order).ok
