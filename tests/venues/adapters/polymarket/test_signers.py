"""Our signatures are the official clients' signatures, byte for byte, and nobody else's pass for ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from py_clob_client_v2.order_utils.exchange_order_builder_v2 import ExchangeOrderBuilderV2, OrderDataV2
from py_clob_client_v2.order_utils.model.side import Side as OtherSide
from py_clob_client_v2.signer import Signer

from tests.venues.adapters.polymarket.samples import KEY, PRODUCTION, SIGNER, TOKEN, practice_config, request
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import PolymarketConfig, config_from
from venues.adapters.polymarket.order_hash import OrderFields, address_word, fields_hash
from venues.adapters.polymarket.signers import (
    ClientSigner,
    OwnSigner,
    is_signed_by,
    separator_of,
    signer_of,
)
from venues.adapters.polymarket.signing import prepare_order

DEPOSIT_WALLET = "0x" + "ab" * 20
CONFIGS = {
    0: config_from(PRODUCTION),
    3: config_from(PRODUCTION | {"signature_type": 3, "wallet": DEPOSIT_WALLET}),
}


def fields_of(config: PolymarketConfig, **changes: int) -> OrderFields:
    signer = config.wallet if config.signature_type == 3 else config.signer
    values = {
        "salt": 1,
        "token_id": int(TOKEN),
        "maker_amount": 2_000_000,
        "taker_amount": 100_000_000,
        "side": 0,
        "timestamp_ms": 1_700_000_000_000,
        **changes,
    }
    return OrderFields(
        maker=address_word(config.wallet),
        signer=address_word(signer),
        signature_type=config.signature_type,
        **values,
    )


# Chain 137, salt 1, BUY 2 USD for 100 shares of TOKEN, time 1700000000000: three independent encoders agreed.
@pytest.mark.parametrize(
    ("kind", "place", "digest", "start", "end", "length"),
    [
        (
            0,
            0,
            "e84f45bea3aa05710323451f2e019a1722c8b8367865c004388999d7be4cb588",
            "94f634ec3b7fc98384",
            "fcdd1b",
            65,
        ),
        (
            0,
            1,
            "fe1d9eb42c6c74f531f53626792dcbeb1c4ced0de93972d38c8ee3c7c12e83d4",
            "1cd07ee9f8b977fd41",
            "c1841b",
            65,
        ),
        (
            0,
            2,
            "2bef81bca0389df22f144cde779f6668748cb1e089f712cbcda96ff7ba1b873f",
            "3a93de10dc0922bf7a",
            "814a1b",
            65,
        ),
        (
            3,
            0,
            "a2f5f279d9aff6b1697511cc5733d436f981ad269ec9cbf1677e3ad32731f528",
            "b10f6b265abc8f7892",
            "00ba",
            317,
        ),
    ],
)
def test_fixed_vectors(kind: int, place: int, digest: str, start: str, end: str, length: int) -> None:
    config = CONFIGS[kind]
    signed = OwnSigner(config).sign(fields_of(config), config.domains[place])

    assert signed.digest.hex() == digest
    assert signed.signature.hex().startswith(start)
    assert signed.signature.hex().endswith(end)
    assert len(signed.signature) == length


NUMBERS = {
    "salt": st.integers(1, 2**53 - 1),
    "token_id": st.integers(0, 2**256 - 1),
    "maker_amount": st.integers(1, 10**12),
    "taker_amount": st.integers(1, 10**12),
    "side": st.sampled_from([0, 1]),
    "timestamp_ms": st.integers(1, 2**41),
}


@settings(max_examples=60)
@given(numbers=st.fixed_dictionaries(NUMBERS), kind=st.sampled_from([0, 3]), place=st.integers(0, 2))
def test_every_byte_is_the_official_clients(numbers: dict[str, int], kind: int, place: int) -> None:
    config = CONFIGS[kind]
    fields = fields_of(config, **numbers)

    assert OwnSigner(config).sign(fields, config.domains[place]) == ClientSigner(config).sign(
        fields, config.domains[place]
    )


@settings(max_examples=30)
@given(numbers=st.fixed_dictionaries(NUMBERS), kind=st.sampled_from([0, 3]), place=st.integers(0, 2))
def test_every_byte_is_that_of_the_venues_other_client(
    numbers: dict[str, int], kind: int, place: int
) -> None:
    config = CONFIGS[kind]
    domain = config.domains[place]
    builder = ExchangeOrderBuilderV2(
        contract_address=domain.contract,
        chain_id=137,
        signer=Signer(KEY, 137),
        generate_salt=lambda: str(numbers["salt"]),
        domain_version=domain.version,
    )
    wallet = SIGNER if kind == 0 else DEPOSIT_WALLET
    order = builder.build_order(
        OrderDataV2(
            maker=wallet,
            signer=wallet,
            tokenId=str(numbers["token_id"]),
            makerAmount=str(numbers["maker_amount"]),
            takerAmount=str(numbers["taker_amount"]),
            side=OtherSide.SELL if numbers["side"] else OtherSide.BUY,
            signatureType=kind,
            timestamp=str(numbers["timestamp_ms"]),
        )
    )
    typed_data = builder.build_order_typed_data(order)
    ours = OwnSigner(config).sign(fields_of(config, **numbers), domain)

    assert "0x" + ours.signature.hex() == builder.build_order_signature(typed_data)
    assert "0x" + ours.digest.hex() == builder.build_order_hash(typed_data)


def test_the_switch_chooses_who_signs_and_not_what() -> None:
    own, client = practice_config(), practice_config(order_signer="client")

    assert isinstance(signer_of(own), OwnSigner)
    assert isinstance(signer_of(client), ClientSigner)
    assert prepare_order(request(), config=own, signer=signer_of(own)) == prepare_order(
        request(), config=client, signer=signer_of(client)
    )


def test_the_switch_has_two_positions() -> None:
    with pytest.raises(Refused) as caught:
        practice_config(order_signer="somebody")

    assert caught.value.field == "POLYMARKET_ORDER_SIGNER"


def test_the_official_client_cannot_say_another_name() -> None:
    renamed = replace(CONFIGS[0].domains[0], name="Polymarket Exchange")

    with pytest.raises(Refused):
        ClientSigner(CONFIGS[0]).sign(fields_of(CONFIGS[0]), renamed)
    assert (
        OwnSigner(CONFIGS[0]).sign(fields_of(CONFIGS[0]), renamed).digest
        != OwnSigner(CONFIGS[0]).sign(fields_of(CONFIGS[0]), CONFIGS[0].domains[0]).digest
    )


@pytest.mark.parametrize("kind", [0, 3])
def test_a_signature_is_ours_for_its_order_and_its_domain_alone(kind: int) -> None:
    config = CONFIGS[kind]
    fields = fields_of(config)
    signature = OwnSigner(config).sign(fields, config.domains[0]).signature
    separators = [separator_of(domain, chain_id=137) for domain in config.domains]
    hashed = fields_hash(fields)

    def is_ours(raw: bytes, separator: bytes = separators[0], struct: bytes = hashed) -> bool:
        return is_signed_by(config, signature=raw, separator=separator, hashed=struct)

    assert is_ours(signature)
    assert not is_ours(signature, separators[1])
    assert not is_ours(signature, struct=fields_hash(fields_of(config, maker_amount=2_000_001)))
    for place in (0, 40, 64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not is_ours(bytes(changed))


@pytest.mark.parametrize("kind", [0, 3])
@pytest.mark.parametrize("raw", [b"", b"\x00" * 65, b"\xff" * 65, b"\x01" * 64, b"\x02" * 66])
def test_bytes_that_are_no_signature_are_nobodys(kind: int, raw: bytes) -> None:
    config = CONFIGS[kind]
    separator = separator_of(config.domains[0], chain_id=137)

    assert not is_signed_by(config, signature=raw, separator=separator, hashed=bytes(32))


def test_a_strangers_deposit_wallet_signature_is_not_ours() -> None:
    ours = CONFIGS[3]
    stranger = config_from(
        PRODUCTION | {"signature_type": 3, "wallet": DEPOSIT_WALLET, "private_key": "22" * 32}
    )
    assert stranger.signer == Account.from_key("0x" + "22" * 32).address
    fields = fields_of(ours)
    signature = OwnSigner(stranger).sign(fields, ours.domains[0]).signature

    assert not is_signed_by(
        ours,
        signature=signature,
        separator=separator_of(ours.domains[0], chain_id=137),
        hashed=fields_hash(fields),
    )


def test_a_number_that_does_not_fit_is_never_signed() -> None:
    for changes in ({"salt": 2**256}, {"maker_amount": -1}):
        with pytest.raises(OverflowError):
            OwnSigner(CONFIGS[0]).sign(fields_of(CONFIGS[0], **changes), CONFIGS[0].domains[0])
