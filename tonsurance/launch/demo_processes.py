"""The processes of the demo that are the product's own: workers, beat, engine, streams, web."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper
from tonsurance.launch.ports import LOOPBACK

STAGE = 2
STOP_S_MAX = 12
WEB_READY_S_MAX = 90
ANSWER_S_MAX = 5
POLL_S = 0.1


def product_start(
    keeper: Keeper,
    *,
    workers: Mapping[str, Sequence[str]],
    port: int,
    environment: Mapping[str, str],
    logs: Path,
) -> None:
    """Start a worker for each group of queues, beat, the engine, the streams, and the web server on `port`."""
    python = sys.executable
    commands = {
        "engine": [python, "manage.py", "run_engine"],
        "streams": [python, "manage.py", "stream_markets", "--user"],
        "web": [
            *(python, "-m", "gunicorn", "tonsurance.wsgi:application", "--bind", f"{LOOPBACK}:{port}"),
            *("--workers", "1", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning"),
        ],
    }
    celery = [python, "-m", "celery", "--app", "tonsurance", "--quiet"]
    for name, queues in workers.items():
        # One task at a time, each in a child that a time limit can kill without losing the worker.
        commands[f"worker {name}"] = [
            *(*celery, "worker", "--queues", ",".join(queues), "--hostname", f"{name}@demo"),
            *("--concurrency", "1", "--without-gossip", "--without-mingle"),
        ]
    commands["beat"] = [*celery, "beat", "--schedule", str(logs.parent / "beat-schedule")]
    for name, command in commands.items():
        keeper.spawn(
            name,
            command,
            log=logs / f"{name.replace(' ', '-')}.log",
            environment=environment,
            stage=STAGE,
            patience_s=STOP_S_MAX,
        )


def web_wait(keeper: Keeper, *, port: int) -> str:
    """Wait until the web server answers; return its address. Raises LaunchFailed."""
    address = f"http://{LOOPBACK}:{port}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + WEB_READY_S_MAX
    while time.monotonic() < deadline:
        keeper.check_alive()
        try:
            with direct.open(f"{address}/healthz", timeout=ANSWER_S_MAX):
                return address
        except urllib.error.HTTPError as answered:
            raise LaunchFailed(f"the web server says {answered.code} at {address}/healthz") from answered
        except OSError:
            time.sleep(POLL_S)
    web: list[Child] = [child for child in keeper.children if child.name == "web"]
    words = web[0].last_words() if web else ""
    raise LaunchFailed(f"the web server did not answer within {WEB_READY_S_MAX} s:\n{words}")
