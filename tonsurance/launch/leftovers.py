"""Finds what a killed demo of this very checkout left running, and makes sure there is one demo at a time.

A process is taken for ours only when its environment names this checkout, which nobody else sets; the
database servers, which overwrite theirs, are known by their data directory instead.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil

from tonsurance.launch.endings import birth_of, processes_stop
from tonsurance.launch.failure import LaunchFailed

MARK = "TONSURANCE_DEMO_OF"
WAIT_FOR_LAST_S_MAX = 60
LEFTOVER_PATIENCE_S = 5
POLL_S = 0.2
BIRTH_TOLERANCE_S = 2.0


def leftovers_stop(checkout: Path) -> int:
    """Stop the processes whose environment marks them as a demo's of `checkout`; return how many there were."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(checkout):
                found.append(process)
    processes_stop(found, stop_signal=signal.SIGTERM, patience_s=LEFTOVER_PATIENCE_S)
    return len(found)


@contextlib.contextmanager
def the_only_one(lock: Path) -> Iterator[int]:
    """Hold `lock` for this demo; yields the file descriptor, which the warden shares.

    Waits while a killed demo's warden is still stopping things. Raises LaunchFailed when a demo is alive.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + WAIT_FOR_LAST_S_MAX
    with lock.open("a+") as handle:
        while not _locked(handle):
            holder = _holder(handle)
            if holder and abs(birth_of(holder[0]) - holder[1]) < BIRTH_TOLERANCE_S:
                raise LaunchFailed(f"a demo of this checkout is running already (process {holder[0]})")
            if time.monotonic() > deadline:
                raise LaunchFailed(f"the last demo has not finished stopping after {WAIT_FOR_LAST_S_MAX} s")
            time.sleep(POLL_S)
        handle.seek(0)
        handle.truncate()
        handle.write(json.dumps({"pid": os.getpid(), "born_at": birth_of(os.getpid())}))
        handle.flush()
        yield handle.fileno()


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: IO[str]) -> tuple[int, float] | None:
    """Who holds the lock, as it wrote itself down; None in the moment before it did."""
    handle.seek(0)
    try:
        found = json.loads(handle.read())
    except ValueError:
        return None
    return int(found["pid"]), float(found["born_at"])
