from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.venues.simulators.polymarket.rig import ROOT
from venues.simulators.polymarket.config import Config, ProductionRefused, amoy, contracts, urls


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 137},
        {"chain_id": 80002},
        {"standard_exchange": "0xE111180000d2663C0091e4f400237545B87B996B"},
        {"standard_exchange": "0xe111180000d2663c0091e4f400237545b87b996b"},
        {"neg_risk_exchange": "0xe2222d279d744050d28e00520010520000310F59"},
        {"exchange_v3": "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"},
        {"host": "clob.polymarket.com"},
        {"host": "CLOB.POLYMARKET.COM."},
    ],
)
def test_nothing_of_the_real_venue_is_accepted(change):
    with pytest.raises(ProductionRefused):
        Config(**change)


def test_the_process_refuses_the_real_chain_with_a_sentence_and_does_not_start():
    command = [sys.executable, "-m", "venues.simulators.polymarket", "--chain-id", "137"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert "chain 137 is Polymarket's own chain" in result.stderr


def test_every_service_has_its_address_under_one_port():
    places = urls("http://127.0.0.1:9/")
    assert places["clob_url"] == "http://127.0.0.1:9/clob"
    assert places["clob_user_ws_url"] == "ws://127.0.0.1:9/ws/user"
    assert len(set(places.values())) == len(places)
    assert contracts()["chain_id"] == 31337


def test_the_test_networks_profile_is_its_chain_and_contracts_and_nothing_else():
    chosen = amoy()
    assert (chosen.chain_id, chosen.exchange_v3) == (80002, "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D")
    for change in (
        {"chain_id": 137},
        {"chain_id": 31337},
        {"exchange_v3": "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"},
        {"host": "clob.polymarket.com"},
    ):
        with pytest.raises(ProductionRefused):
            replace(chosen, **change)
    with pytest.raises(ProductionRefused):
        replace(chosen, is_amoy=False)
