"""Fixtures that every test may ask for: the live Valkey, a free port, the practice exchange.

PostgreSQL and Valkey are real and belong to this run alone (see tonsurance/launch/pytest_plugin.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import redis

from tonsurance.launch.ports import port_free


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The address of an empty database of the live Valkey, in the form of REDIS_URL."""
    address = os.environ["REDIS_URL"]
    client = redis.Redis.from_url(address)
    client.flushdb()
    yield address
    client.flushdb()
    client.close()


@pytest.fixture
def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    return port_free()
