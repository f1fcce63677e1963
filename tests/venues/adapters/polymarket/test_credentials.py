"""The headers that prove who asks: fixed vectors of the venue's scheme."""

from __future__ import annotations

from eth_account import Account
from polymarket._internal.l1_auth import sign_api_key_auth

from tests.venues.adapters.polymarket.samples import KEY, SIGNER, WALLET, practice_config
from venues.adapters.polymarket.credentials import Credentials, l2_headers


def test_the_signature_of_a_cancel_is_the_venues_vector() -> None:
    headers = l2_headers(
        practice_config(), method="DELETE", path="/order", body=b'{"orderID":"0xabc"}', now_s=1_700_000_000
    )

    assert headers == {
        "POLY_ADDRESS": SIGNER,
        "POLY_SIGNATURE": "Y99uwCPw7OTxZpH8b-Uu0SX4Sv2oBJWQwUKMDzz1cWs=",
        "POLY_TIMESTAMP": "1700000000",
        "POLY_API_KEY": "7d5775f6-071f-4a3b-9037-49cb209e090e",
        "POLY_PASSPHRASE": "open sesame",
    }


def test_a_deposit_wallets_requests_carry_the_keys_own_address() -> None:
    config = practice_config(signature_type=3, wallet=WALLET)

    assert l2_headers(config, method="GET", path="/data/orders", body=b"", now_s=1)["POLY_ADDRESS"] == SIGNER


def test_the_proof_of_wallet_control_is_the_venues_vector() -> None:
    signature = sign_api_key_auth(Account.from_key(KEY), chain_id=137, timestamp=1_700_000_000).signature

    assert signature.startswith("0x0f08c184141f")
    assert signature.endswith("33dc5fc1b")


def test_credentials_do_not_show_themselves() -> None:
    assert repr(Credentials("a key", "a secret", "a passphrase")) == "Credentials()"
