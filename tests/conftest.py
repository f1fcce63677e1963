"""Fixtures that every test may ask for: the live Valkey, a free port, a practice exchange.

PostgreSQL and Valkey are real and belong to this run alone (see tonsurance/launch/pytest_plugin.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.desk import Desk
from tonsurance.launch.keeper import Keeper, environment_of_children
from tonsurance.launch.ports import port_free
from tonsurance.launch.practice import PracticeExchange, practice_exchange_start

QUICK_SETTLEMENT = ("--mined-seconds", "0.1", "--confirmed-seconds", "0.1")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The address of an empty database of the live Valkey, in the form of REDIS_URL."""
    address = os.environ["REDIS_URL"]
    with redis.Redis.from_url(address) as client:
        client.flushdb()
        yield address
        client.flushdb()


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    return port_free()


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """Starts processes; they end with the test, or with the run should it be killed."""
    found = Keeper()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def practice_exchange_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeExchange]:
    """One practice exchange for the whole run, over real HTTP."""
    keeper = Keeper()
    home = tmp_path_factory.mktemp("exchange")
    try:
        yield practice_exchange_start(
            keeper,
            home=home,
            log=home / "exchange.log",
            environment=environment_of_children(),
            options=QUICK_SETTLEMENT,
        )
    finally:
        keeper.stop()


@pytest.fixture
def practice_exchange(practice_exchange_process: PracticeExchange) -> PracticeExchange:
    """A practice exchange as on its first day: `base_url`, `get("truth")`, `post("fund", ...)`, `environment()`."""
    practice_exchange_process.post("reset", seed=1)
    quick = {"mined_seconds": 0.1, "confirmed_seconds": 0.1}
    practice_exchange_process.post("settlement", **quick)
    return practice_exchange_process


@pytest.fixture
def practice_exchange_alone(keeper: Keeper, tmp_path: Path) -> PracticeExchange:
    """A practice exchange that a test may kill; `child.process` is its process."""
    return practice_exchange_start(
        keeper,
        home=tmp_path / "exchange",
        log=tmp_path / "exchange.log",
        environment=environment_of_children(),
        options=QUICK_SETTLEMENT,
    )


@pytest.fixture(scope="session")
def desk_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One practice exchange with one funded account for the whole run."""
    keeper = Keeper()
    try:
        yield Desk(tmp_path_factory.mktemp("desk"), keeper)
    finally:
        keeper.stop()


@pytest.fixture
def desk(desk_process: Desk) -> Iterator[Desk]:
    """The desk with its books as seeded and a fresh account, and this process's settings pointing there."""
    desk_process.reopen()
    with desk_process.settings():
        yield desk_process
