"""Celery as the bell: it says *look now*, and may say so late, twice or never.

The queue that money depends on is a table in PostgreSQL. Each setting below answers a way in which a message was seen
to be lost, copied or to take a worker down with it; `docs/adr/0003-the-table-is-the-queue.md` gives the measurements.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu.entity import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tonsurance.settings")


def broker_url(redis_url: str) -> str:
    """kombu's spelling of a Redis address.

    `unix:///dir/vk.sock?db=2` becomes `redis+socket:///dir/vk.sock?virtual_host=2`: kombu ignores `db` on sockets.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"


app = Celery("tonsurance")
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL),
    broker_transport_options={
        # Ten times the hard limit; nothing on the money path relies on redelivery.
        "visibility_timeout": 600,
        # Without a socket timeout a publish on a dead connection waits for ever.
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "global_keyprefix": "hedge:",
        "queue_order_strategy": "priority",
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A lost bell costs two seconds (the engine polls the table); a blocked web request costs more.
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.3},
    result_backend=None,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    # Never pickle: a hostile Redis must not become code execution.
    task_serializer="json",
    accept_content=["json"],
    # A typo must fail, not invent a queue that nobody reads.
    task_create_missing_queues=False,
    task_default_queue="default",
    task_queues=[Queue(name) for queues in settings.CELERY_WORKERS.values() for name in queues],
    task_routes={"hedging.orchestrate": {"queue": "orchestrate"}},
    # Early acknowledgement: late acks add copies and still lose messages; a lost hint is found in the table.
    task_acks_late=False,
    # A poison task with rejection on worker loss crashes workers in an endless loop.
    task_reject_on_worker_lost=False,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # Longer than the venue's read timeout plus look-ups; a killed task leaves SENDING, which the resolver owns.
    task_soft_time_limit=40,
    task_time_limit=60,
    worker_soft_shutdown_timeout=45,
    worker_enable_soft_shutdown_on_idle=True,
    # A broker blip must not kill a process that is in the middle of a POST.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=300_000,
    worker_eta_task_limit=100,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    beat_max_loop_interval=5,
    beat_cron_starting_deadline=120,
    enable_utc=True,
    timezone="UTC",
)
app.conf.beat_schedule_filename = os.environ.get("CELERY_BEAT_SCHEDULE", "var/celerybeat-schedule")


@setup_logging.connect
def _use_django_logging(**_kwargs: object) -> None:
    """Keep Django's structured lines; Celery would install its own format otherwise."""


app.autodiscover_tasks()

from tonsurance.beat import SCHEDULE  # noqa: E402  the schedule is data and needs nothing of the app

app.conf.beat_schedule = SCHEDULE
