"""Redemption as the adapter does it: the client's own calls, every kind of market and wallet, what receipts show."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from polymarket._internal.actions.relayer.approvals import _required_trading_approvals
from polymarket._internal.actions.relayer.signing.deposit_wallet import sign_deposit_wallet_batch
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket.calls import TransactionCall, ctf_redeem_positions_call, router_redeem_call
from polymarket.types import EvmAddress

from tests.venues.adapters.polymarket.conftest import MakeAccount
from tests.venues.adapters.polymarket.samples import KEY, TOKEN_V3, practice_config, terms
from tests.venues.adapters.polymarket.trading import (
    BOOK,
    NEG_RISK_SLUG,
    SLUG,
    order_for,
    shares,
    terms_of,
    tokens,
    until,
)
from tonsurance.kernel.errors import Refused
from tonsurance.launch.practice import PracticeExchange
from venues.adapters.polymarket.approvals import pairs_of
from venues.adapters.polymarket.deposit_wallet import batch_body
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.redemption import pusd_received, redeem_call, units_moved
from venues.adapters.polymarket.transactions import is_wallet_payload, transaction_fields
from venues.adapters.polymarket.wallet_contracts import wallet_contracts_on
from venues.domain.gateway import Absent, OrderReport, OrderRequest, OrderState, Side, TimeInForce, Unknown
from venues.simulators.polymarket.config import contracts as practice_contracts
from venues.simulators.polymarket.wallets import deposit_wallets

POLYGON = wallet_contracts_on(137)
PRACTICE = wallet_contracts_on(31337)
V2_SLUG = "usdc-depeg-by-june-30-2027"


# ------------------------------------------------------------------------------------------- addresses and call data
def test_the_contracts_of_polygon_are_the_official_clients() -> None:
    names = {
        "collateral": "collateral_token",
        "conditional_tokens": "conditional_tokens",
        "neg_risk_adapter": "neg_risk_adapter",
        "collateral_adapter": "collateral_adapter",
        "neg_risk_collateral_adapter": "neg_risk_collateral_adapter",
        "position_manager": "position_manager",
        "router": "protocol_v2_router",
        "auto_redeemer": "auto_redeem_operator",
        "binary_module": "binary_module",
        "neg_risk_module": "neg_risk_module",
    }
    for ours, theirs in names.items():
        assert getattr(POLYGON, ours).lower() == str(getattr(PRODUCTION_CONFIG, theirs)).lower(), ours
    assert POLYGON.wallet_factory == PRODUCTION_CONFIG.wallet_derivation.deposit_wallet_factory


def test_the_contracts_of_the_practice_chain_are_the_simulators() -> None:
    told = {str(value).lower() for value in practice_contracts().values()}
    ours = {
        PRACTICE.collateral, PRACTICE.conditional_tokens, PRACTICE.collateral_adapter,
        PRACTICE.neg_risk_collateral_adapter, PRACTICE.position_manager, PRACTICE.router, PRACTICE.auto_redeemer,
    }  # fmt: skip
    assert {address.lower() for address in ours} <= told


def test_every_approval_of_the_official_client_is_on_our_list_but_its_perpetuals() -> None:
    config = replace(
        practice_config(),
        chain_id=137,
        exchange=PRODUCTION_CONFIG.standard_exchange,
        neg_risk_exchange=PRODUCTION_CONFIG.neg_risk_exchange,
        exchange_v3=PRODUCTION_CONFIG.exchange_v3,
    )
    ours = {(pair.token_address.lower(), pair.spender_address.lower()) for pair in pairs_of(config, POLYGON)}
    money, shares_ = _required_trading_approvals(PRODUCTION_CONFIG)
    theirs = {(str(row.token_address).lower(), str(row.spender).lower()) for row in money}
    theirs |= {(str(row.token_address).lower(), str(row.operator).lower()) for row in shares_}
    perpetuals = (POLYGON.collateral.lower(), PRODUCTION_CONFIG.perps_deposit_contract.lower())
    legacy = (POLYGON.collateral.lower(), POLYGON.neg_risk_adapter.lower())
    assert ours == theirs - {perpetuals} | {legacy}


@pytest.mark.parametrize("neg_risk", [False, True])
def test_a_condition_is_redeemed_through_the_adapter_of_its_kind(neg_risk: bool) -> None:
    market = terms(neg_risk=neg_risk, condition_id="0x" + "ab" * 32)
    target, data = redeem_call(market, contracts=POLYGON, held=Decimal(5))
    adapter = POLYGON.neg_risk_collateral_adapter if neg_risk else POLYGON.collateral_adapter
    theirs = ctf_redeem_positions_call(
        ctf=EvmAddress(adapter), collateral=EvmAddress(POLYGON.collateral), condition_id="0x" + "ab" * 32
    )
    assert (target, data) == (adapter, theirs.data)
    assert target != POLYGON.conditional_tokens


@pytest.mark.parametrize("index", [0, 1])
def test_a_position_of_protocol_v2_is_redeemed_through_the_router(index: int) -> None:
    token = str(int(TOKEN_V3) - int(TOKEN_V3) % 2 + index)
    market = terms(instrument_id=token, exchange_domain="3")
    target, data = redeem_call(market, contracts=POLYGON, held=Decimal("12.5"))
    theirs = router_redeem_call(
        router=EvmAddress(POLYGON.router),
        condition_id="0x" + int(token).to_bytes(32, "big")[:31].hex(),
        outcome_index=index,
        amount=12_500_000,
    )
    assert (target, data) == (POLYGON.router, theirs.data)


@given(nonce=st.integers(0, 2**64), deadline=st.integers(0, 2**40), data=st.binary(max_size=100))
def test_a_batch_is_signed_as_the_official_client_signs_it(nonce: int, deadline: int, data: bytes) -> None:
    signer = Account.from_key(KEY)
    calls = [(POLYGON.router, "0x" + data.hex()), (POLYGON.collateral, "0x")]
    _, body = batch_body(
        account=signer, factory=POLYGON.wallet_factory, wallet=POLYGON.onramp, nonce=nonce, deadline=deadline,
        calls=calls, chain_id=137, metadata="",
    )  # fmt: skip
    theirs = sign_deposit_wallet_batch(
        signer,
        wallet=EvmAddress(POLYGON.onramp),
        calls=[TransactionCall(to=EvmAddress(to), data=text) for to, text in calls],  # type: ignore[arg-type]
        nonce=str(nonce),
        deadline=str(deadline),
        chain_id=137,
    )
    assert body["signature"] == "0x" + theirs.removeprefix("0x")


# ------------------------------------------------------------------------------------------------- on a chain
def opened(make_account: MakeAccount, *, kind: int) -> Gateway:
    """An account of a signature type, with a relayer key."""
    key = os.urandom(32).hex()
    signer = str(Account.from_key(key).address)
    wallet = deposit_wallets(signer)[0] if kind == 3 else ""
    config = make_account(private_key=key, wallet=wallet, signature_type=kind, relayer_api_key="relayer-key")
    return Gateway(config)


def request_for(gateway: Gateway, token: str, *, payout: str) -> OrderRequest:
    size = gateway.fetch_units(token)
    return order_for(
        terms_of(gateway, token),
        side=Side.SELL,
        time_in_force=TimeInForce.TX,
        size=size,
        notional_usd=size * Decimal(payout),
        price_limit=Decimal(payout),
    )


def look_up(gateway: Gateway, prepared: Any, request: OrderRequest, *, relay_id: str = "") -> Any:
    return gateway.look_up_redemption(
        prepared.payload,
        name=prepared.client_order_id,
        terms=request.terms,
        size=request.size,
        payout=request.price_limit,
        relay_id=relay_id,
    )


@pytest.mark.parametrize("kind", [0, 3])
@pytest.mark.parametrize("slug", [SLUG, NEG_RISK_SLUG, V2_SLUG])
def test_every_kind_of_market_pays_every_kind_of_wallet(
    practice_exchange: PracticeExchange, make_account: MakeAccount, slug: str, kind: int
) -> None:
    practice_exchange.post("reset")
    practice_exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    practice_exchange.post("market", slug=slug, tick="0.001")
    practice_exchange.post("book", slug=slug, **BOOK)
    gateway = opened(make_account, kind=kind)
    token = tokens(practice_exchange, slug)[0]
    shares(gateway, token)
    practice_exchange.post("resolve", slug=slug, payout="YES")
    request = request_for(gateway, token, payout="1")

    prepared = gateway.prepare_redemption(request)
    assert is_wallet_payload(prepared.payload)
    assert prepared.client_order_id.startswith("batch:0x" if kind else "tx:0x")
    assert (prepared.fence_at is not None) == (kind == 3)
    outcome = gateway.submit(prepared.payload)
    relay_id = getattr(outcome, "venue_order_id", "")
    assert bool(relay_id) == (kind == 3)
    found = until(lambda: look_up(gateway, prepared, request, relay_id=relay_id), lambda one: bool(one.fills))

    assert isinstance(found.report, OrderReport)
    assert found.report.state is OrderState.FILLED
    (fill,) = found.fills
    assert (fill.size, fill.price, fill.notional_usd) == (request.size, 1, request.size)
    assert fill.matched_at > datetime.now(UTC) - timedelta(minutes=5)
    assert gateway.fetch_units(token) == 0
    with pytest.raises(Refused, match="nothing of it"):
        gateway.prepare_redemption(request)


def test_a_batch_whose_answer_was_lost_is_found_by_what_it_did(
    practice_exchange: PracticeExchange, make_account: MakeAccount
) -> None:
    practice_exchange.post("reset")
    practice_exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    practice_exchange.post("book", slug=SLUG, **BOOK)
    gateway = opened(make_account, kind=3)
    token = tokens(practice_exchange)[0]
    shares(gateway, token)
    practice_exchange.post("resolve", slug=SLUG, payout="50-50")
    request = request_for(gateway, token, payout="0.5")
    prepared = gateway.prepare_redemption(request)
    gateway.submit(prepared.payload)

    found = until(lambda: look_up(gateway, prepared, request), lambda one: bool(one.fills))

    assert found.fills[0].notional_usd == request.size / 2


def test_a_missing_approval_is_found_before_anything_is_sent(
    practice_exchange: PracticeExchange, make_account: MakeAccount
) -> None:
    practice_exchange.post("reset")
    practice_exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    practice_exchange.post("book", slug=SLUG, **BOOK)
    gateway = opened(make_account, kind=0)
    token = tokens(practice_exchange)[0]
    shares(gateway, token)
    practice_exchange.post("resolve", slug=SLUG, payout="YES")
    wallet = gateway.account.report().wallet
    practice_exchange.post("account", address=wallet, approved=False)

    with pytest.raises(Refused, match=r"manage\.py wallet approve"):
        gateway.prepare_redemption(request_for(gateway, token, payout="1"))


def test_without_gas_nothing_is_signed(
    practice_exchange: PracticeExchange, make_account: MakeAccount
) -> None:
    practice_exchange.post("reset")
    practice_exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    practice_exchange.post("book", slug=SLUG, **BOOK)
    gateway = opened(make_account, kind=0)
    token = tokens(practice_exchange)[0]
    shares(gateway, token)
    practice_exchange.post("resolve", slug=SLUG, payout="YES")
    practice_exchange.post("tokens", address=gateway.account.report().wallet, pol="0.0001")

    with pytest.raises(Refused, match="send POL to it"):
        gateway.prepare_redemption(request_for(gateway, token, payout="1"))


def test_a_transaction_of_another_chain_stays_here(gateway: Gateway) -> None:
    signed = Account.from_key(KEY).sign_transaction(
        {
            "to": PRACTICE.collateral,
            "value": 0,
            "data": "0x",
            "gas": 1,
            "gasPrice": 1,
            "nonce": 0,
            "chainId": 137,
        }
    )
    payload = json.dumps(
        {"kind": "transaction", "raw": "0x" + signed.raw_transaction.hex().removeprefix("0x")},
        separators=(",", ":"),
    ).encode()
    outcome = gateway.submit(payload)
    assert isinstance(outcome, Unknown)
    assert (outcome.reason, outcome.reached_wire) == ("payload_foreign", False)


def test_a_transaction_nobody_sent_is_absent_and_not_excluded(
    practice_exchange: PracticeExchange, make_account: MakeAccount
) -> None:
    practice_exchange.post("reset")
    practice_exchange.post("settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    practice_exchange.post("book", slug=SLUG, **BOOK)
    gateway = opened(make_account, kind=0)
    token = tokens(practice_exchange)[0]
    shares(gateway, token)
    practice_exchange.post("resolve", slug=SLUG, payout="YES")
    request = request_for(gateway, token, payout="1")
    prepared = gateway.prepare_redemption(request)
    assert transaction_fields(json.loads(prepared.payload)["raw"])[:2] == (0, 31337)

    found = look_up(gateway, prepared, request)

    assert isinstance(found.report, Absent)
    assert not found.report.is_excluded
    assert (gateway.fetch_units(token), found.fills) == (request.size, ())


# ------------------------------------------------------------------------------------------------- receipts
def _log(address: str, *topics: str, data: str) -> dict[str, Any]:
    return {"address": address, "topics": list(topics), "data": "0x" + data}


def test_both_transfers_of_the_chain_are_read_and_others_money_is_not_ours() -> None:
    us, them = "0x" + "aa" * 20, "0x" + "bb" * 20
    single = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62"
    batch = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb"
    moved = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

    def topic(address: str) -> str:
        return "0x" + "0" * 24 + address[2:]

    def words(*numbers: int) -> str:
        return "".join(f"{number:064x}" for number in numbers)

    logs = [
        _log(PRACTICE.conditional_tokens, single, topic(them), topic(us), topic(them), data=words(7, 5_000_000)),
        _log(
            PRACTICE.position_manager, batch, topic(them), topic(us), topic(them),
            data=words(64, 160, 2, 7, 8, 2, 1_000_000, 2_000_000),
        ),
        _log(PRACTICE.conditional_tokens, single, topic(them), topic(them), topic(us), data=words(7, 9)),
        _log(PRACTICE.router, single, topic(them), topic(us), topic(them), data=words(7, 9)),
        _log(PRACTICE.collateral, moved, topic(them), topic(us), data=words(6_000_000)),
        _log(PRACTICE.bridged_usdc, moved, topic(them), topic(us), data=words(9)),
        _log(PRACTICE.collateral, moved, topic(us), topic(them), data=words(9)),
    ]  # fmt: skip
    assert units_moved(logs, wallet=us, contracts=PRACTICE) == {"7": 6_000_000, "8": 2_000_000}
    assert pusd_received(logs, wallet=us, contracts=PRACTICE) == 6_000_000
