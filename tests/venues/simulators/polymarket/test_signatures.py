"""The vectors were made with two official clients (polymarket-client 0.14.0, py-clob-client-v2 1.2.1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from tests.venues.simulators.polymarket.rig import ALICE
from venues.simulators.polymarket.credentials import sign
from venues.simulators.polymarket.signatures import (
    ORDER_TYPE,
    SESSION_MAGIC,
    SignedFields,
    exchange_domain,
    order_hash,
    order_struct_hash,
    recover_login,
    recover_order_signer,
)

POLYGON = 137
STANDARD = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK = "0xe2222d279d744050d28e00520010520000310F59"
V3 = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
WALLET = "0xabABaBaBABaBabABaBabABaBaBabABaBaBaBAbAb"
TOKEN = 71321045679252212594626385532706912750332728571942532289631379312455583992563

TYPE_0 = (
    "94f634ec3b7fc98384d2a9a3a02459c2c4d20abadee2d1aaa48e362879d8bfe1"
    "0fd53b89fca3f3af003069a11cb6a479b614c000b3ced6ab1a2e74bf0b60fcdd1b"
)
TYPE_0_NEG_RISK = (
    "1cd07ee9f8b977fd41e631fde0c4887e45ef360c78b7e7e08828b3a7ee5c1f59"
    "28a15a72600e1339af9fc3839b6af765e6b46c1f6664f6515329232a692bc1841b"
)
TYPE_0_V3 = (
    "3a93de10dc0922bf7a259255ec79b1697205a880e57ff569246720ca5b724cfa"
    "2b281f65d7af56d91860f3b185b6c05d6463a241d118cd1d7b189e9cddfb814a1b"
)
TYPE_3_INNER = (
    "b10f6b265abc8f78924a8360eb56e31f56b63488d3f90d2874eb90127daa65b4"
    "64f9348b4b6fc7441822d1a3606a6a0ea30a5f6a099abadbde3b52430b8715dd1b"
)


def _fields(*, wallet: str = ALICE, signature_type: int = 0, **changes: int) -> SignedFields:
    values = {"salt": 1, "maker_amount": 2_000_000, "taker_amount": 100_000_000, "side": 0, **changes}
    return SignedFields(
        maker=wallet,
        signer=wallet,
        token_id=TOKEN,
        signature_type=signature_type,
        timestamp=1_700_000_000_000,
        metadata=bytes(32),
        builder=bytes(32),
        **values,
    )


def _type_3() -> tuple[SignedFields, bytes, bytes]:
    fields = _fields(wallet=WALLET, signature_type=3)
    domain = exchange_domain(version="2", chain_id=POLYGON, exchange=STANDARD)
    type_text = ORDER_TYPE.encode()
    trailer = domain + order_struct_hash(fields) + type_text + len(type_text).to_bytes(2, "big")
    return fields, domain, bytes.fromhex(TYPE_3_INNER) + trailer


@pytest.mark.parametrize(
    ("version", "exchange", "digest", "signature"),
    [
        ("2", STANDARD, "e84f45bea3aa05710323451f2e019a1722c8b8367865c004388999d7be4cb588", TYPE_0),
        ("2", NEG_RISK, "fe1d9eb42c6c74f531f53626792dcbeb1c4ced0de93972d38c8ee3c7c12e83d4", TYPE_0_NEG_RISK),
        ("3", V3, "2bef81bca0389df22f144cde779f6668748cb1e089f712cbcda96ff7ba1b873f", TYPE_0_V3),
    ],
)
def test_an_eoa_order_has_the_official_hash_and_signer(version, exchange, digest, signature):
    domain = exchange_domain(version=version, chain_id=POLYGON, exchange=exchange)
    fields = _fields()
    assert order_hash(fields, domain=domain).hex() == digest
    assert recover_order_signer(fields, bytes.fromhex(signature), domain=domain, chain_id=POLYGON) == ALICE


def test_the_domain_separators_are_the_official_ones():
    separators = {
        name: exchange_domain(version=version, chain_id=POLYGON, exchange=exchange).hex()
        for name, version, exchange in (("std", "2", STANDARD), ("neg", "2", NEG_RISK), ("v3", "3", V3))
    }
    assert separators["std"] == "3264e159346253e26a64e00b69032db0e7d32f94628de3e6eecb50304d7af3d2"
    assert separators["neg"].startswith("9b858f53")
    assert separators["neg"].endswith("0d30e81a")
    assert separators["v3"].startswith("466c6391")
    assert separators["v3"].endswith("022e095b")


def test_a_deposit_wallet_order_has_the_plain_hash_and_the_nested_signature():
    fields, domain, signature = _type_3()
    assert len(signature) == 317
    assert order_hash(fields, domain=domain).hex() == (
        "a2f5f279d9aff6b1697511cc5733d436f981ad269ec9cbf1677e3ad32731f528"
    )
    assert recover_order_signer(fields, signature, domain=domain, chain_id=POLYGON) == ALICE


def test_a_nested_signature_with_a_foreign_trailer_names_nobody():
    fields, domain, signature = _type_3()
    for position in (70, 100, 200, 316):
        broken = bytearray(signature)
        broken[position] ^= 1
        assert recover_order_signer(fields, bytes(broken), domain=domain, chain_id=POLYGON) is None
    assert recover_order_signer(fields, signature[:65], domain=domain, chain_id=POLYGON) is None


def test_a_session_signature_counts_only_for_the_signer_it_claims():
    fields, domain, signature = _type_3()
    padded = signature + bytes(-len(signature) % 32)
    for claimed, expected in ((ALICE, ALICE), (WALLET, None)):
        head = bytes.fromhex(claimed[2:]).rjust(32, b"\0") + bytes(32) + (96).to_bytes(32, "big")
        wrapped = head + len(signature).to_bytes(32, "big") + padded + SESSION_MAGIC
        assert recover_order_signer(fields, wrapped, domain=domain, chain_id=POLYGON) == expected


@pytest.mark.parametrize("change", [{"salt": 2}, {"maker_amount": 1_999_999}, {"side": 1}])
def test_a_changed_order_names_another_signer(change):
    domain = exchange_domain(version="2", chain_id=POLYGON, exchange=STANDARD)
    signer = recover_order_signer(_fields(**change), bytes.fromhex(TYPE_0), domain=domain, chain_id=POLYGON)
    assert signer != ALICE


def test_a_malleated_signature_names_nobody():
    domain = exchange_domain(version="2", chain_id=POLYGON, exchange=STANDARD)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw = bytes.fromhex(TYPE_0)
    high_s = (order - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    twin = raw[:32] + high_s + bytes([55 - raw[64]])
    assert recover_order_signer(_fields(), twin, domain=domain, chain_id=POLYGON) is None


def test_a_login_has_the_official_signature():
    signature = bytes.fromhex(
        "0f08c184141f23f61012ba15fef7303dff47a1da48c10ae8a6737eff59618f6e"
        "568b2868fedf252be3eb6e80f3a5f09bfdf609cd8f1c9725f9862742b33dc5fc1b"
    )
    login: dict[str, Any] = {"address": ALICE, "timestamp": "1700000000", "nonce": 0, "signature": signature}
    assert recover_login(**login, chain_id=POLYGON) == ALICE
    assert recover_login(**login, chain_id=31337) != ALICE
    assert recover_login(**{**login, "nonce": 1}, chain_id=POLYGON) != ALICE


def test_an_l2_call_has_the_official_hmac():
    secret = base64.urlsafe_b64encode(b"k" * 32).decode()
    body = b'{"orderID":"0xabc"}'
    signed = sign(secret, timestamp="1700000000", method="DELETE", path="/order", body=body)
    assert signed == "Y99uwCPw7OTxZpH8b-Uu0SX4Sv2oBJWQwUKMDzz1cWs="
    message = b'1700000000DELETE/order{"orderID":"0xabc"}'
    assert base64.urlsafe_b64decode(signed) == hmac.new(b"k" * 32, message, hashlib.sha256).digest()
