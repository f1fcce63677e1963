"""The bell: after the commit, never an error, and quick about it when nobody hears."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app
from django.db import transaction

from tonsurance.plumbing import bells
from tonsurance.plumbing.bells import QUIET_AFTER_LOSS_S, ring


@pytest.fixture(autouse=True)
def _fresh_bell() -> Iterator[None]:
    """No loss of an earlier test keeps the bell quiet."""
    bells._quiet_until = 0.0
    yield
    bells._quiet_until = 0.0


@pytest.fixture
def broker(redis_url: str) -> redis.Redis:
    """The live Valkey that the bell rings through."""
    return redis.Redis.from_url(redis_url)


def _rung(broker: redis.Redis, queue: str) -> int:
    return int(broker.llen(f"hedge:{queue}"))


@pytest.mark.django_db(transaction=True)
def test_a_bell_is_a_message_in_its_tasks_queue(broker: redis.Redis) -> None:
    assert ring("hedging.orchestrate", "test") is True

    assert _rung(broker, "orchestrate") == 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_may_name_its_queue(broker: redis.Redis) -> None:
    assert ring("hedging.place", "polymarket", "id-1", queue="place.polymarket") is True

    assert _rung(broker, "place.polymarket") == 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_after_the_commit_and_not_after_a_rollback(broker: redis.Redis) -> None:
    with transaction.atomic():
        assert ring("hedging.orchestrate", "committed") is True
        assert _rung(broker, "orchestrate") == 0
    assert _rung(broker, "orchestrate") == 1

    with transaction.atomic():
        ring("hedging.orchestrate", "rolled back")
        transaction.set_rollback(True)
    assert _rung(broker, "orchestrate") == 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_rings_in_threads_that_never_saw_celery(broker: redis.Redis) -> None:
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(ring("hedging.orchestrate", "thread")))
    thread.start()
    thread.join()

    assert answers == [True]
    assert _rung(broker, "orchestrate") == 1


@pytest.mark.django_db(transaction=True)
def test_a_bell_to_an_unknown_queue_is_lost_and_invents_no_queue(broker: redis.Redis) -> None:
    assert ring("hedging.place", "x", queue="place.nowhere") is False

    assert _rung(broker, "place.nowhere") == 0


@pytest.mark.django_db(transaction=True)
def test_with_a_dead_broker_the_bell_is_lost_in_a_moment_and_then_in_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: Any
) -> None:
    monkeypatch.setattr(
        current_app.conf, "broker_url", f"redis+socket://{tmp_path}/nobody.sock?virtual_host=0"
    )

    begun = time.monotonic()
    assert ring("hedging.orchestrate", "lost") is False
    first = time.monotonic() - begun
    begun = time.monotonic()
    assert ring("hedging.orchestrate", "lost") is False
    second = time.monotonic() - begun

    assert first < 2.0
    assert second < 0.05
    assert bells._quiet_until > time.monotonic() + QUIET_AFTER_LOSS_S - 2


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_that_accepts_and_says_nothing_the_bell_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(current_app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")

        begun = time.monotonic()
        assert ring("hedging.orchestrate", "lost") is False

    assert time.monotonic() - begun < 5.0


@pytest.mark.django_db(transaction=True)
def test_a_lost_bell_does_not_undo_the_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from django.contrib.auth.models import Group

    monkeypatch.setattr(
        current_app.conf, "broker_url", f"redis+socket://{tmp_path}/nobody.sock?virtual_host=0"
    )

    with transaction.atomic():
        Group.objects.create(name="kept")
        ring("hedging.orchestrate", "lost")

    assert Group.objects.filter(name="kept").exists()
