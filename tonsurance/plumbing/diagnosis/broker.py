"""Whether bells are heard: Redis or Valkey answers, keeps what it is given, and every queue has a worker that listens.

A broker that is down costs seconds, never money: the engine reads the table itself (docs/runbooks/redis-down.md).
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import redis
from celery import current_app
from django.conf import settings

from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok, warning

CONNECT_S = 2.0
INSPECT_S = 1.5
LATENCY_MS_WARNING, LATENCY_MS_FAULT = 20.0, 500.0
MEMORY_SHARE_WARNING, MEMORY_SHARE_FAULT = 0.8, 0.95
BELLS_WARNING, BELLS_FAULT = 1_000, 50_000
KEY_PREFIX = "hedge:"
PINGS = 3


def broker_ask(*, now: datetime) -> list[Finding]:
    """Ping, memory, eviction, and the bells that nobody has heard yet."""
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=CONNECT_S, socket_connect_timeout=CONNECT_S
    ) as server:
        try:
            latency_ms = _latency_ms(server)
            told: dict[str, Any] = server.info()
            queues = _queues()
            waiting = {name: int(server.llen(f"{KEY_PREFIX}{name}")) for name in queues}
        except redis.RedisError as error:
            return [_silent(error)]
    return [_latency(latency_ms, told), _memory(told), _eviction(told), _bells(waiting)]


def queues_ask(*, now: datetime) -> list[Finding]:
    """Which workers listen to which queue; asked of the workers themselves."""
    wanted = _queues()
    try:
        told = _consumers()
    except Exception as error:  # noqa: BLE001  kombu raises what its transport raises
        words = type(error).__name__
        return [
            warning(
                "queue_consumers",
                f"The workers cannot be asked: the broker does not answer ({words})",
                remedy="See the broker's finding",
                runbook="redis-down",
            )
        ]
    heard = {queue for queues in told.values() for queue in queues}
    deaf = [queue for queue in wanted if queue not in heard]
    if deaf:
        nobody = "no worker answers" if not told else f"{len(told)} workers answer"
        return [
            fault(
                "queue_consumers",
                f"Nobody listens to {', '.join(deaf)} ({nobody}); the engine alone does that work",
                remedy="Start the workers of the Procfile: celery -A tonsurance worker -Q " + ",".join(deaf),
                runbook="redis-down",
            )
        ]
    return [ok("queue_consumers", f"{len(told)} workers listen to all {len(wanted)} queues")]


def _queues() -> list[str]:
    return [queue for queues in settings.CELERY_WORKERS.values() for queue in queues]


def _consumers() -> dict[str, list[str]]:
    """Worker -> names of its queues. Raises when the broker does not answer."""
    options = {
        **(current_app.conf.broker_transport_options or {}),
        "socket_timeout": CONNECT_S,
        "socket_connect_timeout": CONNECT_S,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    with current_app.connection_for_write(transport_options=options) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0.1, timeout=CONNECT_S)
        told = current_app.control.inspect(timeout=INSPECT_S, connection=broker).active_queues() or {}
    return {worker: [queue["name"] for queue in queues] for worker, queues in told.items()}


def _silent(error: Exception) -> Finding:
    return fault(
        "broker_unreachable",
        f"The broker does not answer ({type(error).__name__}): bells are lost, work is found up to seconds later",
        remedy="Start Redis or Valkey, or correct REDIS_URL; see that `manage.py run_engine` runs meanwhile",
        runbook="redis-down",
    )


def _latency_ms(server: redis.Redis) -> float:
    """The quickest of a few pings, milliseconds: the first one connects."""
    times = []
    for _ in range(PINGS):
        started = time.perf_counter()
        server.ping()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


def _latency(latency_ms: float, told: dict[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = told.get("valkey_version") or told.get("redis_version", "?")
    return judged(
        by_limits(latency_ms, warning_at=LATENCY_MS_WARNING, fault_at=LATENCY_MS_FAULT),
        "broker_latency",
        f"{name} {version} answers in {latency_ms:.1f} ms",
        remedy="It is far away or overloaded; a bell should cost less than a millisecond",
        runbook="redis-down",
    )


def _memory(told: dict[str, Any]) -> Finding:
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    used_mib = used / 1024**2
    if not most:
        return ok("broker_memory", f"The broker uses {used_mib:.1f} MiB and has no limit of its own")
    return judged(
        by_limits(used / most, warning_at=MEMORY_SHARE_WARNING, fault_at=MEMORY_SHARE_FAULT),
        "broker_memory",
        f"The broker uses {used_mib:.1f} MiB of {most / 1024**2:.0f}, {used / most:.0%}",
        remedy="Look whether queues grow because no worker listens; else raise maxmemory",
        runbook="redis-down",
    )


def _eviction(told: dict[str, Any]) -> Finding:
    policy, evicted = str(told.get("maxmemory_policy", "")), int(told.get("evicted_keys", 0))
    if policy != "noeviction" or evicted:
        return warning(
            "broker_eviction",
            f"maxmemory-policy is {policy or 'not told'}, {evicted} keys evicted: a full broker drops whole queues",
            remedy="Set maxmemory-policy noeviction; nothing else should share this database",
            runbook="redis-down",
        )
    return ok("broker_eviction", "A full broker refuses bells and drops none it has")


def _bells(waiting: dict[str, int]) -> Finding:
    name, most = max(waiting.items(), key=lambda item: item[1], default=("", 0))
    total = sum(waiting.values())
    if not total:
        return ok("queue_length", f"No bell waits in the {len(waiting)} queues")
    return judged(
        by_limits(most, warning_at=BELLS_WARNING, fault_at=BELLS_FAULT),
        "queue_length",
        f"{total} bells wait, {most} of them in {name}",
        remedy="Look whether the worker of that queue runs and is not held up by its venue; old bells are harmless",
        runbook="redis-down",
    )
