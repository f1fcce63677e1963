"""A practice exchange for the tests of this folder: one process, opened afresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.venues.simulators.polymarket.rig import Exchange


@pytest.fixture(scope="session")
def practice_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One practice exchange process for the whole run."""
    exchange = Exchange(tmp_path_factory.mktemp("practice"))
    yield exchange
    exchange.stop()


@pytest.fixture
def exchange(practice_process: Exchange) -> Exchange:
    """That process with nothing in it but the seeded markets."""
    practice_process.admin("/reset")
    practice_process.admin("/clock", offset_seconds=0)
    practice_process.admin("/settlement", mined_seconds=0.05, confirmed_seconds=0.05)
    return practice_process
