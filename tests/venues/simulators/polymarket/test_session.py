"""A trading session of the official SDK, over a real socket."""

from __future__ import annotations

from decimal import Decimal

import pytest
from polymarket import errors
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.wallet import derive_safe_wallet_address

from tests.venues.simulators.polymarket.rig import ALICE, ALICE_KEY, BOB, BOB_KEY, BRIDGE, USDC, Exchange
from venues.simulators.polymarket.signatures import SignedFields, exchange_domain, order_hash
from venues.simulators.polymarket.wallets import deposit_wallets

BOOK = {"bids": [["0.020", "400"], ["0.015", "900"]], "asks": [["0.030", "350"], ["0.060", "2000"]]}


@pytest.fixture
def alice(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, **BOOK)
    return exchange.signed_in()


def test_the_book_is_told_as_the_venue_tells_it(exchange, alice):
    yes, no = exchange.tokens(USDC)
    book = exchange.get(f"/clob/book?token_id={yes}")
    assert book["asks"] == [{"price": "0.060", "size": "2000"}, {"price": "0.030", "size": "350"}]
    assert book["bids"] == [{"price": "0.015", "size": "900"}, {"price": "0.020", "size": "400"}]
    assert (book["tick_size"], book["min_order_size"], book["neg_risk"]) == ("0.001", "5", False)
    mirrored = alice.get_order_book(token_id=no)
    assert (mirrored.bids[-1].price, mirrored.asks[-1].price) == (Decimal("0.97"), Decimal("0.98"))
    assert alice.get_midpoint(token_id=yes) == Decimal("0.025")
    assert alice.get_spread(token_id=yes) == Decimal("0.01")
    assert alice.get_price(token_id=yes, side="BUY") == Decimal("0.02")
    assert alice.get_price(token_id=yes, side="SELL") == Decimal("0.03")


def test_a_market_buy_is_matched_mined_and_confirmed(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    assert answer.ok
    assert (answer.status, answer.making_amount, answer.taking_amount) == (
        "matched",
        Decimal(6),
        Decimal(200),
    )
    (transaction,) = alice.wait_for_order_fill_settlement(answer)
    (trade,) = alice.list_account_trades(id=answer.trade_ids[0]).first_page().items
    assert (trade.status, trade.transaction_hash) == ("CONFIRMED", transaction)
    assert (trade.size, trade.price, trade.trader_side) == (Decimal(200), Decimal("0.03"), "TAKER")
    fee = Decimal("0.40740")  # 200 x 0.07 x 0.03 x 0.97
    balance = alice.get_balance_allowance(asset_type="COLLATERAL")
    assert Decimal(balance.balance).scaleb(-6) == Decimal(1000) - 6 - fee
    shares = alice.get_balance_allowance(asset_type="CONDITIONAL", token_id=yes)
    assert shares.balance == 200_000_000
    truth = exchange.truth()
    assert truth["orders"][answer.order_id]["filled_pusd"] == "6"
    assert truth["money"]["fees"] == "0.4074"
    assert truth["money"]["is_conserved"]


def test_the_order_id_is_the_hash_anyone_can_compute(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    order = alice.create_market_order(token_id=yes, side="BUY", amount="3", max_price="0.03")
    fields = SignedFields(
        salt=order.salt,
        maker=order.maker,
        signer=order.signer,
        token_id=int(order.token_id),
        maker_amount=order.maker_amount,
        taker_amount=order.taker_amount,
        side=0,
        signature_type=0,
        timestamp=order.timestamp,
        metadata=bytes(32),
        builder=bytes(32),
    )
    domain = exchange_domain(
        version="2", chain_id=31337, exchange="0x3133700000000000000000000000000000000002"
    )
    answer = alice.post_order(order)
    assert answer.order_id == "0x" + order_hash(fields, domain=domain).hex()


def test_a_fak_takes_what_crosses_and_kills_the_rest(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(token_id=yes, side="BUY", amount="100", max_price="0.03")
    assert (answer.making_amount, answer.taking_amount) == (Decimal("10.5"), Decimal(350))
    assert alice.list_open_orders().first_page().items == ()
    assert alice.get_order(order_id=answer.order_id).size_matched == Decimal(350)


def test_a_buy_over_two_prices_is_two_trades_whose_sums_are_the_answer(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(token_id=yes, side="BUY", amount="16.50", max_price="0.06")
    trades = [alice.list_account_trades(id=one).first_page().items[0] for one in answer.trade_ids]
    assert [(trade.price, trade.size) for trade in trades] == [
        (Decimal("0.03"), Decimal(350)),
        (Decimal("0.06"), Decimal(100)),
    ]
    assert answer.making_amount == sum(trade.price * trade.size for trade in trades)
    minted = trades[1].maker_orders[0]
    assert (minted.outcome, minted.side, minted.price) == ("No", "BUY", Decimal("0.94"))


def test_a_fok_that_cannot_be_filled_is_killed_and_costs_nothing(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    order = alice.create_market_order(
        token_id=yes, side="BUY", amount="100", max_price="0.03", order_type="FOK"
    )
    with pytest.raises(errors.RequestRejectedError) as refused:
        alice.post_order(order)
    assert refused.value.status == 400
    assert str(refused.value) == "order couldn't be fully filled. FOK orders are fully filled or killed."
    assert exchange.truth()["trades"] == {}
    assert alice.get_balance_allowance(asset_type="COLLATERAL").balance == 1_000_000_000


def test_a_fok_that_fits_is_filled(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(
        token_id=yes, side="BUY", amount="10.50", max_price="0.03", order_type="FOK"
    )
    assert answer.taking_amount == Decimal(350)


def test_a_limit_order_rests_reserves_and_is_cancelled(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_limit_order(token_id=yes, side="BUY", price="0.025", size="1000")
    assert (answer.status, answer.trade_ids) == ("live", ())
    (resting,) = alice.list_open_orders(token_id=yes).first_page().items
    assert (resting.status, resting.original_size, resting.price) == ("LIVE", Decimal(1000), Decimal("0.025"))
    assert exchange.truth()["accounts"][ALICE]["reserved_pusd"] == "25"
    assert alice.get_order_book(token_id=yes).bids[-1].price == Decimal("0.025")
    assert alice.cancel_order(order_id=answer.order_id).canceled == (answer.order_id,)
    again = alice.cancel_order(order_id=answer.order_id)
    assert again.not_canceled == {answer.order_id: "already canceled or matched"}
    assert exchange.truth()["accounts"][ALICE]["reserved_pusd"] == "0"


def test_two_users_meet_and_the_maker_pays_no_fee(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    exchange.admin("/fund", address=BOB, pusd="1000")
    bob = exchange.signed_in(BOB_KEY, wallet=BOB)
    made = alice.place_limit_order(token_id=yes, side="BUY", price="0.025", size="40")
    exchange.admin("/book", slug=USDC, bids=[], asks=[["0.025", "100"]])
    (trade,) = exchange.truth()["trades"].values()
    assert trade["legs"][1] == {
        "order_id": made.order_id,
        "address": ALICE,
        "token_id": yes,
        "side": "BUY",
        "shares": "40",
        "price": "0.025",
        "pusd": "1",
        "fee": "0",
    }
    exchange.admin("/settlement/run")
    sold = alice.place_limit_order(token_id=yes, side="SELL", price="0.024", size="40")
    bought = bob.place_market_order(token_id=yes, side="BUY", amount="1", max_price="0.025")
    assert (sold.status, bought.status) == ("live", "matched")
    assert bought.taking_amount == Decimal("41.60")  # 40 of hers at 0.024, then 1.60 of the house's at 0.025
    exchange.admin("/settlement/run")
    truth = exchange.truth()
    assert truth["accounts"][ALICE]["pusd"] == "999.96"
    assert truth["orders"][sold.order_id]["status"] == "MATCHED"
    assert truth["money"]["is_conserved"]
    (seen,) = [
        row for row in alice.list_account_trades().first_page().items if row.taker_order_id == bought.order_id
    ]
    assert seen.trader_side == "MAKER"


def test_a_sale_brings_its_price_less_the_fee(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    alice.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    exchange.admin("/settlement/run")
    answer = alice.place_market_order(token_id=yes, side="SELL", shares="200", min_price="0.02")
    assert (answer.making_amount, answer.taking_amount) == (Decimal(200), Decimal(4))
    exchange.admin("/settlement/run")
    fees = Decimal("0.40740") + Decimal("0.27440")
    assert Decimal(exchange.truth()["accounts"][ALICE]["pusd"]) == Decimal(1000) - 6 + 4 - fees


def test_shares_not_yet_mined_cannot_be_sold(exchange, alice):
    exchange.admin("/settlement", mined_seconds=60)
    yes, _ = exchange.tokens(USDC)
    alice.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    with pytest.raises(errors.RequestRejectedError, match="balance: 0, order amount: 200000000"):
        alice.post_order(alice.create_market_order(token_id=yes, side="SELL", shares="200", min_price="0.02"))


def test_a_failed_settlement_returns_the_money(exchange, alice):
    exchange.admin("/settlement", fail_next=1)
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    assert answer.status == "matched"
    with pytest.raises(errors.TransactionFailedError):
        alice.wait_for_order_fill_settlement(answer)
    (trade,) = exchange.truth()["trades"].values()
    assert (trade["status"], trade["transaction_hash"]) == ("FAILED", "")
    account = exchange.truth()["accounts"][ALICE]
    assert (account["pusd"], account["reserved_pusd"], account["positions"]) == ("1000", "0", {})


def test_a_retried_settlement_still_confirms(exchange, alice):
    exchange.admin("/settlement", retry_next=1)
    yes, _ = exchange.tokens(USDC)
    answer = alice.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    assert len(alice.wait_for_order_fill_settlement(answer)) == 1


def test_a_deposit_wallet_trades_with_its_owners_key(exchange):
    wallet = deposit_wallets(ALICE)[0]
    exchange.admin("/fund", address=wallet, pusd="500")
    exchange.admin("/book", slug=USDC, **BOOK)
    client = exchange.client(ALICE_KEY, wallet=None)
    assert (client.wallet, client.wallet_type) == (wallet, "DEPOSIT_WALLET")
    yes, _ = exchange.tokens(USDC)
    answer = client.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    client.wait_for_order_fill_settlement(answer)
    order = exchange.truth()["orders"][answer.order_id]
    assert (order["maker"], order["signer"]) == (wallet, wallet)
    (position,) = client.list_positions(user=wallet).first_page().items
    assert (position.token_id, position.current_size) == (yes, Decimal(200))
    assert client.get_balance_allowance(asset_type="CONDITIONAL", token_id=yes).balance == 200_000_000


def test_a_safe_trades_with_its_owners_key(exchange):
    safe = derive_safe_wallet_address(ALICE, PRODUCTION_CONFIG.wallet_derivation)
    exchange.admin("/fund", address=safe, pusd="500", owner=ALICE, signature_type=2)
    exchange.admin("/book", slug=USDC, **BOOK)
    client = exchange.client(ALICE_KEY, wallet=safe)
    assert client.wallet_type == "GNOSIS_SAFE"
    yes, _ = exchange.tokens(USDC)
    answer = client.place_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    order = exchange.truth()["orders"][answer.order_id]
    assert (order["maker"], order["signer"]) == (safe, ALICE)
    assert client.get_balance_allowance(asset_type="COLLATERAL").balance <= 500_000_000


def test_a_session_key_trades_for_the_wallet_that_admitted_it(exchange):
    wallet = "0x3133700000000000000000000000000000008888"
    exchange.admin("/fund", address=wallet, pusd="500", owner=BOB)
    exchange.admin("/book", slug=USDC, **BOOK)
    client = exchange.client(ALICE_KEY, wallet=wallet)
    yes, _ = exchange.tokens(USDC)
    order = client.create_market_order(token_id=yes, side="BUY", amount="6", max_price="0.03")
    with pytest.raises(errors.RequestRejectedError, match="has to be the address of the API KEY"):
        client.post_order(order)
    exchange.admin("/account", address=wallet, sessions=[ALICE])
    assert client.post_order(order).ok


def test_a_neg_risk_market_is_signed_for_its_own_exchange(exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    client = exchange.signed_in()
    yes, _ = exchange.tokens(BRIDGE)
    answer = client.place_market_order(token_id=yes, side="BUY", amount="12", max_price="0.24")
    assert answer.ok
    swapped = exchange.client(neg_risk_exchange="0x3133700000000000000000000000000000000002")
    with pytest.raises(errors.RequestRejectedError, match="invalid signature"):
        swapped.post_order(
            swapped.create_market_order(token_id=yes, side="BUY", amount="12", max_price="0.24")
        )


def test_a_batch_answers_each_order_for_itself(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    good = alice.create_market_order(token_id=yes, side="BUY", amount="3", max_price="0.03")
    poor = alice.create_market_order(token_id=yes, side="BUY", amount="5000", max_price="0.03")
    accepted, refused = alice.post_orders([good, poor])
    assert accepted.ok
    assert (refused.ok, refused.code) == (False, "not_enough_balance")


def test_heartbeats_once_begun_must_go_on(exchange, alice):
    yes, _ = exchange.tokens(USDC)
    alice.place_limit_order(token_id=yes, side="BUY", price="0.01", size="100")
    first = alice.send_order_heartbeat()
    alice.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
    with pytest.raises(errors.OrderHeartbeatMismatchError):
        alice.send_order_heartbeat(heartbeat_id="wrong")
    exchange.admin("/clock", advance_seconds=16)
    assert [row["status"] for row in exchange.truth()["orders"].values()] == ["CANCELED"]


def test_keys_are_created_once_derived_after_and_revoked(exchange, alice):
    again = exchange.client()
    assert again.credentials.key == alice.credentials.key
    assert alice.fetch_api_keys() == (alice.credentials.key,)
    alice.delete_api_key()
    with pytest.raises(errors.RequestRejectedError) as refused:
        again.fetch_api_keys()
    assert (refused.value.status, str(refused.value)) == (401, "Unauthorized/Invalid api key")
    assert exchange.client().credentials.key != alice.credentials.key
