"""Settings that do not fit together are refused with the name of the variable and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.venues.adapters.polymarket.samples import KEY, PRACTICE, PRODUCTION, SIGNER, WALLET
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import config_from


def refusal(settings: dict[str, Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        config_from(settings)
    return caught.value


def test_a_practice_account_is_built_from_its_settings() -> None:
    config = config_from(PRACTICE)

    assert (config.chain_id, config.signer, config.wallet, config.signature_type) == (
        31337,
        SIGNER,
        SIGNER,
        0,
    )
    assert config.salt_secret == PRACTICE["salt_secret"].encode()
    assert config.has_credentials


def test_mumbai_is_refused_with_a_sentence_that_says_it_no_longer_exists() -> None:
    error = refusal(PRACTICE | {"chain_id": 80001})

    assert error.field == "POLYMARKET_CHAIN_ID"
    assert "Mumbai, which no longer exists: Polygon shut it down in April 2024" in error.message
    assert "practice exchange" in error.message


@pytest.mark.parametrize("chain_id", [80002, 1, "", "abc", None])
def test_any_other_chain_is_refused(chain_id: object) -> None:
    assert refusal(PRACTICE | {"chain_id": chain_id}).field == "POLYMARKET_CHAIN_ID"


def test_the_live_exchange_needs_an_explicit_yes() -> None:
    assert config_from(PRODUCTION).chain_id == 137
    for answer in (False, None, "true", 1):
        assert refusal(PRODUCTION | {"live_allowed": answer}).field == "POLYMARKET_CLOB_API_URL"


@pytest.mark.parametrize("name", ["clob_url", "gamma_url", "data_url", "relayer_url"])
def test_no_production_host_on_the_practice_chain(name: str) -> None:
    error = refusal(PRACTICE | {name: PRODUCTION[name], "live_allowed": True})

    assert "137, not 31337" in error.message


def test_hosts_that_only_look_like_the_venue_are_not_the_venue() -> None:
    assert config_from(PRACTICE | {"clob_url": "http://polymarket.com.example:1"}).chain_id == 31337
    assert "own host" in refusal(PRACTICE | {"clob_url": "http://CLOB.Polymarket.com."}).message


def test_a_polygon_node_is_refused_on_the_practice_chain() -> None:
    assert refusal(PRACTICE | {"rpc_url": PRODUCTION["rpc_url"]}).field == "POLYMARKET_RPC_URL"


def test_chain_137_signs_only_for_the_venues_own_https_hosts() -> None:
    assert (
        "signatures that are worth money"
        in refusal(PRODUCTION | {"clob_url": "https://127.0.0.1:8081"}).message
    )
    assert "https" in refusal(PRODUCTION | {"gamma_url": "http://gamma-api.polymarket.com"}).message


@pytest.mark.parametrize("name", ["exchange", "neg_risk_exchange", "exchange_v3"])
def test_production_contracts_are_refused_for_practice_in_any_spelling(name: str) -> None:
    error = refusal(PRACTICE | {name: PRODUCTION[name].lower()})

    assert "a practice exchange needs an address of its own" in error.message


@pytest.mark.parametrize("key", ["", "0x1234", "g" * 64, "0" * 64, "f" * 64])
def test_keys_of_the_wrong_shape_are_named_without_being_repeated(key: str) -> None:
    error = refusal(PRACTICE | {"private_key": key})

    assert error.field == "POLYMARKET_PRIVATE_KEY"
    assert not key or key not in error.message
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", "not-a-uuid"),
        ("secret", "not base64!"),
        ("passphrase", ""),
        ("secret", ""),
        ("wallet", "0x12"),
        ("signature_type", 1),
        ("signature_type", ""),
        ("exchange", ""),
        ("clob_url", "clob"),
        ("clob_url", "ftp://127.0.0.1"),
        ("rpc_url", "http://127.0.0.1:notaport"),
        ("salt_secret", "short"),
    ],
)
def test_each_faulty_setting_is_named(name: str, value: object) -> None:
    error = refusal(PRACTICE | {name: value})

    assert error.code == "polymarket_settings"
    assert error.field in error.message
    assert name.split("_")[0].upper() in error.field


def test_a_deposit_wallet_must_be_named_and_differ_from_the_key() -> None:
    config = config_from(PRACTICE | {"signature_type": 3, "wallet": WALLET.lower()})

    assert config.wallet == WALLET
    assert refusal(PRACTICE | {"signature_type": 3}).field == "POLYMARKET_WALLET"
    assert refusal(PRACTICE | {"signature_type": 3, "wallet": SIGNER}).field == "POLYMARKET_WALLET"
    assert refusal(PRACTICE | {"signature_type": 0, "wallet": WALLET}).field == "POLYMARKET_WALLET"


def test_credentials_may_be_absent_together() -> None:
    config = config_from(PRACTICE | {"api_key": "", "secret": "", "passphrase": ""})

    assert not config.has_credentials


def test_without_a_salt_secret_one_comes_from_the_private_key() -> None:
    first, again = (config_from(PRACTICE | {"salt_secret": ""}) for _ in range(2))
    other = config_from(PRACTICE | {"salt_secret": "", "private_key": "22" * 32})

    assert first.salt_secret == again.salt_secret
    assert first.salt_secret != other.salt_secret
    assert bytes.fromhex(KEY[2:]) != first.salt_secret


def test_no_secret_is_in_the_representation() -> None:
    text = repr(config_from(PRACTICE | {"rpc_url": "http://127.0.0.1:9/rpc/my-node-key"}))

    for name in ("api_key", "secret", "passphrase", "salt_secret"):
        assert PRACTICE[name] not in text
    assert KEY[2:] not in text
    assert "my-node-key" not in text
