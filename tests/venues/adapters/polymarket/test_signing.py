"""The same request gives the same bytes, and the bytes say which order they are."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.datatypes import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.adapters.polymarket.samples import (
    CREATED_AT,
    KEY,
    PRODUCTION,
    SIGNER,
    TOKEN,
    TOKEN_V3,
    WALLET,
    practice_config,
    request,
    terms,
)
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import PolymarketConfig, config_from
from venues.adapters.polymarket.order_hash import order_digest, order_hash
from venues.adapters.polymarket.signers import signer_of
from venues.adapters.polymarket.signing import (
    ForeignPayload,
    identity_in,
    prepare_order,
)
from venues.domain.gateway import OrderRequest, Prepared, Side, TimeInForce

CONFIGS = {
    0: practice_config(),
    3: practice_config(signature_type=3, wallet=WALLET),
}


def prepared(config: PolymarketConfig, order: OrderRequest) -> Prepared:
    return prepare_order(order, config=config, signer=signer_of(config))


def body_of(order: Prepared) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(order.payload)
    return body


def test_the_bytes_are_the_compact_body_of_the_venues_order_call() -> None:
    order = prepared(CONFIGS[0], request())
    body = body_of(order)

    assert order.payload == json.dumps(body, separators=(",", ":")).encode()
    assert list(body) == ["deferExec", "order", "orderType", "owner"]
    assert (body["deferExec"], body["orderType"]) == (False, "FAK")
    assert body["owner"] == CONFIGS[0].api_key
    signed = body["order"]
    assert (signed["maker"], signed["signer"], signed["signatureType"]) == (SIGNER, SIGNER, 0)
    assert (signed["makerAmount"], signed["takerAmount"]) == ("10000000", "333333330")
    assert (signed["tokenId"], signed["side"], signed["expiration"]) == (TOKEN, "BUY", "0")
    assert signed["timestamp"] == str(int(CREATED_AT.timestamp()) * 1000 + 123)
    assert isinstance(signed["salt"], int)
    assert 0 < signed["salt"] < 2**53


def test_what_is_prepared_says_what_the_bytes_say() -> None:
    buy = prepared(CONFIGS[0], request(notional_usd=Decimal("10.009")))
    sale = prepared(CONFIGS[0], request(side=Side.SELL, size=Decimal("33.339")))

    assert (buy.notional_usd, buy.size) == (Decimal("10.000000"), Decimal("333.333330"))
    assert (sale.notional_usd, sale.size) == (Decimal("0.999900"), Decimal("33.330000"))
    assert buy.price_limit == sale.price_limit == Decimal("0.030")
    assert buy.fence_at is None


@pytest.mark.parametrize("signature_type", [0, 3])
@pytest.mark.parametrize("neg_risk", [False, True])
def test_the_order_id_is_the_hash_for_the_markets_exchange(signature_type: int, *, neg_risk: bool) -> None:
    config = CONFIGS[signature_type]
    order = prepared(config, request(terms=terms(neg_risk=neg_risk)))
    exchange = config.neg_risk_exchange if neg_risk else config.exchange

    assert order.client_order_id == order_hash(
        body_of(order)["order"], chain_id=31337, exchange=exchange, version="2"
    )
    assert identity_in(order.payload, config=config) == (order.client_order_id, Side.BUY)


def test_a_market_of_the_second_protocol_is_signed_for_the_third_exchange() -> None:
    config = CONFIGS[0]
    order = prepared(config, request(terms=terms(instrument_id=TOKEN_V3, exchange_domain="3", neg_risk=True)))

    assert order.client_order_id == order_hash(
        body_of(order)["order"], chain_id=31337, exchange=config.exchange_v3, version="3"
    )
    assert identity_in(order.payload, config=config).order_id == order.client_order_id


@settings(max_examples=30)
@given(
    key=st.text(min_size=1, max_size=40),
    generation=st.integers(0, 5),
    cents=st.integers(100, 100_000),
    signature_type=st.sampled_from([0, 3]),
)
def test_the_same_request_gives_the_same_bytes(
    key: str, generation: int, cents: int, signature_type: int
) -> None:
    config = CONFIGS[signature_type]
    order = request(decision_key=key, generation=generation, notional_usd=Decimal(cents) / 100)

    assert prepared(config, order) == prepared(config, order)


def test_the_bytes_are_pinned_so_that_an_upgrade_cannot_move_an_identity_unseen() -> None:
    digests = [hashlib.sha256(prepared(CONFIGS[kind], request()).payload).hexdigest() for kind in (0, 3)]

    assert digests == [
        "9c2142e461b381eb74623710227ec48481007952f7a3bf23419f41db81c7e509",
        "3fef6a1b8cb6a3fca19a6182de8d902cf0e9817c0e600b4969b7a0477f98d6b7",
    ]


def test_another_generation_or_decision_is_another_order() -> None:
    orders = [
        prepared(CONFIGS[0], request(decision_key=key, generation=generation))
        for key in ("a", "b")
        for generation in (0, 1)
    ]

    assert len({order.salt for order in orders}) == 4
    assert len({order.client_order_id for order in orders}) == 4


def test_signatures_do_not_depend_on_the_fast_library_being_there() -> None:
    config = CONFIGS[0]
    signed = body_of(prepared(config, request()))["order"]
    digest = order_digest(signed, chain_id=31337, exchange=config.exchange, version="2")
    slow = PrivateKey(bytes.fromhex(KEY[2:]), backend=NativeECCBackend()).sign_msg_hash(digest)

    recovery_byte = bytes([slow.v + 27])
    assert "0x" + (slow.to_bytes()[:64] + recovery_byte).hex() == signed["signature"]


def test_an_order_without_credentials_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        prepared(practice_config(api_key="", secret="", passphrase=""), request())

    assert caught.value.field == "POLYMARKET_API_KEY"


@pytest.mark.parametrize(
    "changes",
    [
        {"exchange_domain": "4"},
        {"exchange_domain": ""},
        {"exchange_domain": "3"},
        {"instrument_id": TOKEN_V3},
    ],
)
def test_a_signing_domain_that_does_not_fit_the_token_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        prepared(CONFIGS[0], request(terms=terms(**changes)))

    assert caught.value.field == "exchange_domain"


def test_bytes_of_another_key_wallet_or_chain_are_not_ours_to_send() -> None:
    config = CONFIGS[0]
    foreign = [
        practice_config(private_key="22" * 32),
        CONFIGS[3],
        config_from(PRODUCTION),
        practice_config(exchange="0x3133700000000000000000000000000000000099"),
    ]
    payloads = [prepared(other, request()).payload for other in foreign]
    payloads += [b"", b"null", b"[]", b"{}", b'{"order":null}', b'{"order":{}}', b"\xff\xfe", b"[" * 100_000]

    for payload in payloads:
        with pytest.raises(ForeignPayload):
            identity_in(payload, config=config)


def test_bytes_that_were_changed_after_signing_are_not_ours_to_send() -> None:
    config = CONFIGS[0]
    body = body_of(prepared(config, request(time_in_force=TimeInForce.FOK)))
    body["order"]["makerAmount"] = "99000000"

    with pytest.raises(ForeignPayload):
        identity_in(json.dumps(body).encode(), config=config)
