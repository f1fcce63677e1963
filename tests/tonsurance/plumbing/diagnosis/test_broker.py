"""A real Valkey, a dead one and one that never answers; real Celery workers that listen or do not."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app

from tonsurance.celery import broker_url
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.findings import Finding
from tonsurance.launch.keeper import Keeper, environment_of_children
from tonsurance.plumbing.diagnosis import broker
from tonsurance.plumbing.diagnosis.broker import broker_ask, queues_ask


def by_code(found: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in found}


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def forget_connections() -> None:
    """Make Celery connect anew, as a forked process does: its pools remember the address they were made for."""
    current_app._after_fork()
    current_app.control._after_fork()


@pytest.fixture
def broker_at(settings: Any) -> Iterator[Any]:
    """Points the doctor and Celery at another address."""
    kept = current_app.conf.broker_url

    def point(address: str) -> None:
        settings.REDIS_URL = address
        current_app.conf.broker_url = current_app.conf.broker_read_url = broker_url(address)
        current_app.conf.broker_write_url = broker_url(address)
        forget_connections()

    yield point
    current_app.conf.broker_url = current_app.conf.broker_read_url = current_app.conf.broker_write_url = kept
    forget_connections()


def test_a_live_broker_is_well(redis_url: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    found = by_code(broker_ask(now=utc_now()))
    assert {code: finding.level.value for code, finding in found.items()} == {
        "broker_latency": "ok",
        "broker_memory": "ok",
        "broker_eviction": "ok",
        "queue_length": "ok",
    }


def test_bells_that_nobody_hears_are_counted(
    redis_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as server:
        server.rpush("hedge:place.polymarket", *range(12))
    monkeypatch.setattr(broker, "BELLS_WARNING", 10)
    found = by_code(broker_ask(now=utc_now()))["queue_length"]
    assert (found.level.value, found.sentence) == ("warning", "12 bells wait, 12 of them in place.polymarket")


def test_a_broker_that_evicts_is_named(redis_url: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as server:
        server.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = by_code(broker_ask(now=utc_now()))["broker_eviction"]
        finally:
            server.config_set("maxmemory-policy", "noeviction")
    assert found.level.value == "warning"
    assert found.sentence.startswith("maxmemory-policy is allkeys-lru, 0 keys evicted")


def test_a_full_broker_is_a_fault(redis_url: str, settings: Any) -> None:
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as server:
        server.config_set("maxmemory", str(int(server.info("memory")["used_memory"] * 1.02)))
        try:
            found = by_code(broker_ask(now=utc_now()))["broker_memory"]
        finally:
            server.config_set("maxmemory", "0")
    assert found.level.value == "fault"


def test_a_dead_broker_is_a_fault_at_once(free_port: int, broker_at: Any) -> None:
    broker_at(f"redis://:secret-password@127.0.0.1:{free_port}/0")
    started = monotonic_s()
    (found,) = broker_ask(now=utc_now())
    (consumers,) = queues_ask(now=utc_now())
    assert monotonic_s() - started < 8
    assert (found.level.value, found.code) == ("fault", "broker_unreachable")
    assert (consumers.level.value, consumers.code) == ("warning", "queue_consumers")
    assert "secret-password" not in str([found, consumers])


def test_a_broker_that_never_answers_is_a_fault_in_time(mute_port: int, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{mute_port}/0"
    started = monotonic_s()
    (found,) = broker_ask(now=utc_now())
    assert monotonic_s() - started < 15
    assert (found.level.value, found.code) == ("fault", "broker_unreachable")


def test_queues_without_a_worker_are_named_and_workers_are_heard(
    redis_url: str, broker_at: Any, settings: Any, keeper: Keeper, tmp_path: Path
) -> None:
    broker_at(redis_url)
    (nobody,) = queues_ask(now=utc_now())
    assert (nobody.level.value, nobody.code) == ("fault", "queue_consumers")
    assert nobody.sentence.startswith(
        "Nobody listens to place.polymarket, resolve.polymarket, default, orchestrate"
    )

    keeper.spawn(
        "worker",
        [
            *(sys.executable, "-m", "celery", "--app", "tonsurance", "--quiet", "worker", "--pool", "solo"),
            *("--queues", "default,orchestrate", "--hostname", "doctor@test"),
        ],
        stage=1,
        log=tmp_path / "worker.log",
        environment=environment_of_children(
            REDIS_URL=redis_url,
            DATABASE_URL=os.environ["DATABASE_URL"],
            DJANGO_SETTINGS_MODULE="tonsurance.settings",
        ),
    )
    deadline = time.monotonic() + 60
    while "1 workers answer" not in (found := queues_ask(now=utc_now())[0]).sentence:
        assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()
    assert found.sentence.startswith(
        "Nobody listens to place.polymarket, resolve.polymarket (1 workers answer)"
    )

    settings.CELERY_WORKERS = {"default": ["default", "orchestrate"]}
    (all_heard,) = queues_ask(now=utc_now())
    assert (all_heard.level.value, all_heard.sentence) == ("ok", "1 workers listen to all 2 queues")
