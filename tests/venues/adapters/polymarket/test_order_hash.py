"""Our order hash against fixed vectors and against the venue's other official client."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2, OrderDataV2
from py_clob_client_v2.order_utils.model.side import Side as OtherSide
from py_clob_client_v2.signer import Signer

from tests.venues.adapters.polymarket.samples import KEY, PRODUCTION, SIGNER, TOKEN
from venues.adapters.polymarket.environment import BYTES32_ZERO, sign_order
from venues.adapters.polymarket.order_hash import domain_separator, order_hash

STANDARD, NEG_RISK, THIRD = (PRODUCTION[name] for name in ("exchange", "neg_risk_exchange", "exchange_v3"))
DEPOSIT_WALLET = "0x" + "ab" * 20

# Chain 137, salt 1, BUY 2 USD for 100 shares of TOKEN, time 1700000000000: three independent encoders agreed.
VECTORS = [
    (0, SIGNER, STANDARD, "2", "0xe84f45bea3aa05710323451f2e019a1722c8b8367865c004388999d7be4cb588"),
    (0, SIGNER, NEG_RISK, "2", "0xfe1d9eb42c6c74f531f53626792dcbeb1c4ced0de93972d38c8ee3c7c12e83d4"),
    (0, SIGNER, THIRD, "3", "0x2bef81bca0389df22f144cde779f6668748cb1e089f712cbcda96ff7ba1b873f"),
    (3, DEPOSIT_WALLET, STANDARD, "2", "0xa2f5f279d9aff6b1697511cc5733d436f981ad269ec9cbf1677e3ad32731f528"),
]
SIGNATURES = [
    ("0x94f634ec3b7fc98384", "fcdd1b", 65),
    ("0x1cd07ee9f8b977fd41", "c1841b", 65),
    ("0x3a93de10dc0922bf7a", "814a1b", 65),
    ("0xb10f6b265abc8f7892", "00ba", 317),
]


def signed(signature_type: int, wallet: str, exchange: str, version: str) -> dict[str, Any]:
    body = sign_order(
        account=Account.from_key(KEY),
        chain_id=137,
        exchange=exchange,
        domain_version=version,
        wallet=wallet,
        signature_type=signature_type,
        token_id=TOKEN,
        side="BUY",
        maker_amount=2_000_000,
        taker_amount=100_000_000,
        salt=1,
        timestamp_ms=1_700_000_000_000,
        order_type="FAK",
        owner="owner",
    )
    order: dict[str, Any] = body["order"]
    return order


@pytest.mark.parametrize(("signature_type", "wallet", "exchange", "version", "expected"), VECTORS)
def test_the_hash_of_each_vector(
    signature_type: int, wallet: str, exchange: str, version: str, expected: str
) -> None:
    order = signed(signature_type, wallet, exchange, version)

    assert order_hash(order, chain_id=137, exchange=exchange, version=version) == expected


@pytest.mark.parametrize(("vector", "shape"), list(zip(VECTORS, SIGNATURES, strict=True)))
def test_the_signature_of_each_vector(
    vector: tuple[int, str, str, str, str], shape: tuple[str, str, int]
) -> None:
    signature = signed(*vector[:4])["signature"]
    start, end, length = shape

    assert signature.startswith(start)
    assert signature.endswith(end)
    assert len(bytes.fromhex(signature[2:])) == length


@pytest.mark.parametrize(
    ("exchange", "version", "start", "end"),
    [
        (STANDARD, "2", "3264e159", "7af3d2"),
        (NEG_RISK, "2", "9b858f53", "0d30e81a"),
        (THIRD, "3", "466c6391", "022e095b"),
    ],
)
def test_domain_separators(exchange: str, version: str, start: str, end: str) -> None:
    separator = domain_separator(chain_id=137, exchange=exchange, version=version).hex()

    assert separator.startswith(start)
    assert separator.endswith(end)


@given(
    salt=st.integers(1, 2**53 - 1),
    maker_amount=st.integers(1, 10**12),
    taker_amount=st.integers(1, 10**12),
    side=st.sampled_from(["BUY", "SELL"]),
    timestamp_ms=st.integers(1_700_000_000_000, 1_900_000_000_000),
    venue=st.sampled_from([(STANDARD, "2"), (NEG_RISK, "2"), (THIRD, "3")]),
    signature_type=st.sampled_from([0, 3]),
)
def test_hash_and_signature_equal_those_of_the_venues_other_client(
    salt: int,
    maker_amount: int,
    taker_amount: int,
    side: str,
    timestamp_ms: int,
    venue: tuple[str, str],
    signature_type: int,
) -> None:
    exchange, version = venue
    wallet = SIGNER if signature_type == 0 else DEPOSIT_WALLET
    order = sign_order(
        account=Account.from_key(KEY),
        chain_id=31337,
        exchange=exchange,
        domain_version=version,
        wallet=wallet,
        signature_type=signature_type,
        token_id=TOKEN,
        side=side,
        maker_amount=maker_amount,
        taker_amount=taker_amount,
        salt=salt,
        timestamp_ms=timestamp_ms,
        order_type="FAK",
        owner="owner",
    )["order"]
    other = ExchangeOrderBuilderV2(
        contract_address=exchange,
        chain_id=31337,
        signer=Signer(KEY, 137),
        generate_salt=lambda: str(salt),
        domain_version=version,
    )
    theirs = other.build_order(
        OrderDataV2(
            maker=wallet,
            tokenId=TOKEN,
            makerAmount=str(maker_amount),
            takerAmount=str(taker_amount),
            side=OtherSide.BUY if side == "BUY" else OtherSide.SELL,
            signer=wallet,
            signatureType=signature_type,
            timestamp=str(timestamp_ms),
        )
    )
    typed_data = other.build_order_typed_data(theirs)

    assert order_hash(order, chain_id=31337, exchange=exchange, version=version) == other.build_order_hash(
        typed_data
    )
    assert order["signature"] == other.build_order_signature(typed_data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("maker", "0x12"),
        ("makerAmount", "-1"),
        ("side", "HOLD"),
        ("metadata", "0x00"),
        ("tokenId", str(1 << 256)),
    ],
)
def test_a_field_that_does_not_fit_its_type_has_no_hash(field: str, value: str) -> None:
    order = signed(0, SIGNER, STANDARD, "2") | {field: value}

    with pytest.raises((ValueError, KeyError)):
        order_hash(order, chain_id=137, exchange=STANDARD, version="2")


def test_zero_metadata_and_builder_are_sent() -> None:
    order = signed(0, SIGNER, STANDARD, "2")

    assert (order["metadata"], order["builder"], order["expiration"]) == (BYTES32_ZERO, BYTES32_ZERO, "0")
