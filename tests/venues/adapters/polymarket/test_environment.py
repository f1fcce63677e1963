"""The private parts of the official client that we lean on are still there and still do what we need.

These fail when the pinned client changes: read docs/adr/0002-polymarket-client.md before mending them.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
from pathlib import Path

from polymarket import PublicClient
from polymarket._internal.environment import PRODUCTION_CONFIG, get_environment_config

from tests.venues.adapters.polymarket.samples import PRODUCTION, TOKEN, TOKEN_V3, practice_config
from venues.adapters.polymarket import environment
from venues.adapters.polymarket.config import config_from


def test_the_installed_client_is_the_pinned_one() -> None:
    assert importlib.metadata.version("polymarket-client") == environment.PINNED_VERSION


def test_the_clients_own_constants_are_the_ones_we_refuse_for_practice() -> None:
    config = config_from(PRODUCTION)

    assert PRODUCTION_CONFIG.chain_id == config.chain_id
    assert PRODUCTION_CONFIG.standard_exchange == config.exchange
    assert PRODUCTION_CONFIG.neg_risk_exchange == config.neg_risk_exchange
    assert PRODUCTION_CONFIG.exchange_v3 == config.exchange_v3
    assert (PRODUCTION_CONFIG.clob_url, PRODUCTION_CONFIG.rpc_url) == (config.clob_url, config.rpc_url)


def test_a_practice_environment_names_no_production_host_or_exchange_at_all() -> None:
    config = practice_config()
    overridden = get_environment_config(environment.environment_for(config))
    addresses = [
        getattr(overridden, name)
        for name in overridden.__dataclass_fields__
        if isinstance(getattr(overridden, name), str) and name.endswith("_url")
    ]

    assert len(addresses) >= 15
    assert [address for address in addresses if "127.0.0.1" not in address] == []
    assert (overridden.chain_id, overridden.standard_exchange) == (31337, config.exchange)
    assert (overridden.neg_risk_exchange, overridden.exchange_v3) == (
        config.neg_risk_exchange,
        config.exchange_v3,
    )


def test_the_public_client_takes_the_overridden_environment() -> None:
    with PublicClient(environment.environment_for(practice_config())) as client:
        assert client.environment.name == "practice"


def test_a_live_environment_keeps_the_clients_own_addresses() -> None:
    overridden = get_environment_config(environment.environment_for(config_from(PRODUCTION)))

    assert overridden == PRODUCTION_CONFIG


def test_position_ids_of_the_second_protocol_are_told_apart() -> None:
    assert not environment.is_v2_position_id(TOKEN)
    assert environment.is_v2_position_id(TOKEN_V3)


def test_no_other_file_reaches_into_the_clients_private_parts() -> None:
    root = Path(environment.__file__).parents[3]
    found = subprocess.run(
        [
            "grep",
            "-rlE",
            r"(from|import) polymarket\._internal|polymarket\.clients\._",
            "--include=*.py",
            "venues/adapters",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.stdout.split() == ["venues/adapters/polymarket/environment.py"]
