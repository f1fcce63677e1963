"""Which contract and domain verifies a market's orders, which ledger holds its shares, and who must be approved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from polymarket import RequestRejectedError

from tests.venues.simulators.polymarket.rig import (
    ALICE,
    ALICE_KEY,
    BRIDGE,
    USDC,
    USDC_V2,
    Caller,
    Exchange,
)
from venues.simulators.polymarket import config
from venues.simulators.polymarket.wallets import deposit_wallets


def _selector(signature: str) -> str:
    return keccak(text=signature)[:4].hex()


GET_ORDER_STATUS = _selector("getOrderStatus(bytes32)")
EIP712_DOMAIN = _selector("eip712Domain()")
BALANCE_OF_TOKEN = _selector("balanceOf(address,uint256)")
IS_APPROVED = _selector("isApprovedForAll(address,address)")


def _open(exchange: Exchange, slug: str) -> tuple[Caller, str]:
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=slug, bids=[["0.02", "500"]], asks=[["0.03", "500"]])
    return Caller(exchange), exchange.tokens(slug)[0]


def _view(exchange: Exchange, target: str, selector: str, types: list[str], values: list[Any]) -> str:
    data = "0x" + selector + encode(types, values).hex()
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_call",
        "params": [{"to": target, "data": data}, "latest"],
    }
    answer = exchange.call("POST", "/rpc", call)[1]
    return str(answer.get("result", answer.get("error")))


MARKETS = [
    pytest.param(USDC, {}, id="conditional tokens"),
    pytest.param(BRIDGE, {"neg_risk": True}, id="neg risk"),
    pytest.param(USDC_V2, {"protocol": "v2"}, id="protocol v2"),
]


@pytest.mark.parametrize(("slug", "domain"), MARKETS)
def test_an_order_counts_only_under_its_own_contract_and_domain(exchange, slug, domain):
    caller, yes = _open(exchange, slug)
    for other in ({}, {"neg_risk": True}, {"protocol": "v2"}):
        status, answer = caller.post(caller.order(token_id=yes, **other))
        if other == domain:
            assert (status, answer["takingAmount"]) == (200, "100")
        else:
            assert (status, answer) == (400, {"error": "invalid signature"})


@pytest.mark.parametrize(
    ("slug", "ledger", "asset_type", "other_type"),
    [
        (USDC, config.CONDITIONAL_TOKENS, "CONDITIONAL", "CONDITIONAL-V2"),
        (USDC_V2, config.POSITION_MANAGER, "CONDITIONAL-V2", "CONDITIONAL"),
    ],
)
def test_shares_lie_on_their_own_ledger(exchange, slug, ledger, asset_type, other_type):
    caller, yes = _open(exchange, slug)
    caller.post(caller.order(token_id=yes, protocol="v2" if slug == USDC_V2 else "v1"))
    exchange.admin("/settlement/run")
    for kind, balance in ((asset_type, "100000000"), (other_type, "0")):
        shown = caller.call("GET", f"/balance-allowance?asset_type={kind}&token_id={yes}&signature_type=0")[1]
        assert shown["balance"] == balance
    for contract in (config.CONDITIONAL_TOKENS, config.POSITION_MANAGER):
        held = _view(exchange, contract, BALANCE_OF_TOKEN, ["address", "uint256"], [ALICE, int(yes)])
        assert int(held, 16) == (100_000_000 if contract == ledger else 0)


def test_the_third_exchange_says_its_own_domain_and_its_own_orders(exchange):
    caller, yes = _open(exchange, USDC_V2)
    _, answer = caller.post(caller.order(token_id=yes, protocol="v2"))
    exchange.admin("/settlement/run")
    order_hash = bytes.fromhex(answer["orderID"][2:])
    filled = _view(exchange, config.EXCHANGE_V3, GET_ORDER_STATUS, ["bytes32"], [order_hash])
    assert int(filled[2:66], 16) == 1
    elsewhere = _view(exchange, config.STANDARD_EXCHANGE, GET_ORDER_STATUS, ["bytes32"], [order_hash])
    assert int(elsewhere[2:66], 16) == 0
    assert bytes("3", "ascii").hex().ljust(64, "0") in _view(
        exchange, config.EXCHANGE_V3, EIP712_DOMAIN, [], []
    )


def test_the_sdk_trades_a_protocol_v2_market_from_a_deposit_wallet(exchange):
    wallet = deposit_wallets(ALICE)[0]
    exchange.admin("/fund", address=wallet, owner=ALICE, pusd="100")
    exchange.admin("/book", slug=USDC_V2, bids=[["0.020", "500"]], asks=[["0.030", "500"]])
    client = exchange.client(ALICE_KEY, wallet=None)
    yes = exchange.tokens(USDC_V2)[0]
    bought = client.post_order(
        client.create_market_order(asset_id=yes, side="BUY", amount=3, max_price="0.03")
    )
    assert (bought.ok, bought.taking_amount) == (True, Decimal(100))
    exchange.admin("/settlement/run")
    sold = client.post_order(
        client.create_market_order(asset_id=yes, side="SELL", shares=40, min_price="0.02")
    )
    assert (sold.ok, sold.taking_amount) == (True, Decimal("0.8"))
    exchange.admin("/settlement/run")
    held = client.get_balance_allowance(asset_type="CONDITIONAL-V2", token_id=yes)
    assert (held.balance, list(held.allowances)) == (60_000_000, [config.EXCHANGE_V3])
    assert exchange.truth()["money"]["is_conserved"]


@pytest.mark.parametrize(
    ("slug", "domain", "spender"),
    [
        (USDC, {}, "standard_exchange"),
        (BRIDGE, {"neg_risk": True}, "neg_risk_exchange"),
        (BRIDGE, {"neg_risk": True}, "neg_risk_adapter"),
        (USDC_V2, {"protocol": "v2"}, "exchange_v3"),
    ],
)
def test_a_buy_needs_the_allowance_of_every_spender_its_market_names(exchange, slug, domain, spender):
    caller, yes = _open(exchange, slug)
    exchange.admin("/account", address=ALICE, allowances={spender: "2.99"})
    address = config.contracts()[spender]
    status, answer = caller.post(caller.order(token_id=yes, **domain))
    assert (status, answer["error"]) == (
        400,
        "not enough balance / allowance: the allowance is not enough -> "
        f"spender: {address}, allowance: 2990000",
    )
    exchange.admin("/account", address=ALICE, allowances={spender: "3"})
    assert caller.post(caller.order(token_id=yes, **domain))[0] == 200


def test_a_sale_needs_the_operator_of_the_ledger_and_no_pusd_allowance(exchange):
    caller, yes = _open(exchange, USDC_V2)
    caller.post(caller.order(token_id=yes, protocol="v2"))
    exchange.admin("/settlement/run")
    exchange.admin(
        "/account", address=ALICE, allowances={"exchange_v3": "0"}, operators={"exchange_v3": False}
    )
    sale = caller.order(
        token_id=yes, protocol="v2", side="SELL", maker_amount=10_000_000, taker_amount=200_000
    )
    status, answer = caller.post(sale)
    assert (status, answer["error"].endswith("allowance: 0")) == (400, True)
    approved = _view(
        exchange, config.POSITION_MANAGER, IS_APPROVED, ["address", "address"], [ALICE, config.EXCHANGE_V3]
    )
    assert int(approved, 16) == 0
    exchange.admin("/account", address=ALICE, operators={"exchange_v3": True})
    assert caller.post(sale)[0] == 200


def test_an_approval_given_to_one_exchange_is_not_given_to_another(exchange):
    exchange.admin("/fund", address=ALICE, pusd="100")
    exchange.admin("/account", address=ALICE, approved=False, allowances={"exchange_v3": "max"})
    client = exchange.signed_in()
    usdc = exchange.tokens(USDC)[0]
    with pytest.raises(RequestRejectedError, match="the allowance is not enough"):
        client.post_order(client.create_market_order(asset_id=usdc, side="BUY", amount=2, max_price="0.03"))
    exchange.admin("/book", slug=USDC_V2, bids=[], asks=[["0.030", "500"]])
    v2 = exchange.tokens(USDC_V2)[0]
    bought = client.post_order(
        client.create_market_order(asset_id=v2, side="BUY", amount=3, max_price="0.03")
    )
    assert bought.ok
