"""The bell: it tells a worker to look now, and costs nothing but seconds when nobody hears it.

A task's message carries names and ids, never amounts; the table is the queue. So a bell is rung after the
commit, is never repeated, and never raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from celery import current_app
from django.db import connection, transaction

from tonsurance.kernel.clock import monotonic_s

# After a lost bell this process stays quiet for so long: a dead broker must not slow down every sale.
QUIET_AFTER_LOSS_S = 5.0
# A publish that a stalled broker holds longer than this is given up.
PUBLISH_TIMEOUT_S = 1.0

_log = structlog.get_logger(__name__)
_quiet_until = 0.0
_lock = threading.Lock()


def ring(task_name: str, *args: str, queue: str | None = None) -> bool:
    """Send the Celery task `task_name` with `args`, after the current transaction commits if one is open.

    `queue` overrides the route of the task. Returns False only when the bell is known to be lost; True says
    that it was sent or will be after the commit. Never raises.
    """
    if connection.in_atomic_block:
        transaction.on_commit(_later(task_name, args, queue), robust=True)
        return True
    return _send(task_name, args, queue)


def _later(task_name: str, args: tuple[str, ...], queue: str | None) -> Callable[[], None]:
    def send() -> None:
        _send(task_name, args, queue)

    return send


def _send(task_name: str, args: tuple[str, ...], queue: str | None) -> bool:
    global _quiet_until
    if monotonic_s() < _quiet_until:
        return False
    try:
        with current_app.connection_for_write(
            transport_options={
                **(current_app.conf.broker_transport_options or {}),
                "socket_timeout": PUBLISH_TIMEOUT_S,
                "socket_connect_timeout": PUBLISH_TIMEOUT_S,
                "retry_on_timeout": False,
                "max_retries": 0,
            }
        ) as broker:
            current_app.send_task(
                task_name, args=args, queue=queue, connection=broker, retry=False, ignore_result=True
            )
    except Exception as error:  # noqa: BLE001  whatever the broker's libraries raise, a sale must not fail of it
        with _lock:
            _quiet_until = monotonic_s() + QUIET_AFTER_LOSS_S
        _log.warning("bell_lost", task=task_name, args=args, error=f"{type(error).__name__}: {error}")
        return False
    return True
