from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.wallet import (
    derive_beacon_deposit_wallet_address,
    derive_uups_deposit_wallet_address,
)

from tests.venues.simulators.polymarket.rig import ALICE
from venues.simulators.polymarket.state import checksummed
from venues.simulators.polymarket.wallets import deposit_wallets


def test_a_known_owner_has_known_wallets():
    assert deposit_wallets(ALICE)[0] == "0x8154deDBDAAA46c07453E47b5b6C0Ff60B8542b9"


@settings(max_examples=50)
@given(st.binary(min_size=20, max_size=20))
def test_the_wallets_are_those_the_official_client_derives(raw):
    owner = checksummed("0x" + raw.hex())
    derivation = PRODUCTION_CONFIG.wallet_derivation
    assert deposit_wallets(owner) == (
        derive_beacon_deposit_wallet_address(owner, derivation),
        derive_uups_deposit_wallet_address(owner, derivation),
    )
