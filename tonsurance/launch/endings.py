"""Says how the processes of a launch are brought to an end.

Kept apart from the keeper because two processes carry it out: the launcher when it stops in order,
the warden when the launcher was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

KILLED_GROUP_S_MAX = 5.0
POLL_S = 0.05
BIRTH_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class Ending:
    """A process group to stop (`pid` leads it, born at that Unix time), or a directory to delete, at the end."""

    kind: Literal["process", "directory"]
    stage: int
    pid: int = 0
    stop_signal: int = signal.SIGTERM
    patience_s: float = 10.0
    path: str = ""
    born_at: float = 0.0


def endings_carry_out(endings: Sequence[Ending]) -> None:
    """Stop the groups stage by stage, highest first; then delete the directories."""
    processes = [ending for ending in endings if ending.kind == "process"]
    for stage in sorted({ending.stage for ending in processes}, reverse=True):
        _stage_stop([ending for ending in processes if ending.stage == stage])
    for ending in endings:
        if ending.kind == "directory":
            shutil.rmtree(ending.path, ignore_errors=True)


def groups_alive(leader_pids: Iterable[int]) -> set[int]:
    """Those of `leader_pids` whose process group has a living member; zombies are dead."""
    wanted = set(leader_pids)
    alive: set[int] = set()
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error, OSError):
            group = os.getpgid(pid)
            if group in wanted - alive and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                alive.add(group)
    return alive


def processes_in(directory: Path, *, names: frozenset[str]) -> list[psutil.Process]:
    """The living processes called one of `names` whose working directory is `directory`.

    A database server works inside its data directory, so this finds it, and its orphans, with certainty.
    """
    found = []
    wanted = str(directory.resolve())
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if (
                process.name() in names
                and process.status() != psutil.STATUS_ZOMBIE
                and process.cwd() == wanted
            ):
                found.append(process)
    return found


def processes_stop(processes: Sequence[psutil.Process], *, stop_signal: int, patience_s: float) -> None:
    """Ask `processes` to stop and kill those that have not after `patience_s` seconds."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(stop_signal)
    _, alive = psutil.wait_procs(list(processes), timeout=patience_s)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=KILLED_GROUP_S_MAX)


def birth_of(pid: int) -> float:
    """When the process was born, as Unix time; 0 when it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def is_ours(ending: Ending) -> bool:
    """Whether the number still means what we started: false once another process was given it."""
    try:
        born_at = psutil.Process(ending.pid).create_time()
    except psutil.NoSuchProcess:
        return True  # the leader is gone; while its group lives, the number is given to nobody else
    return abs(born_at - ending.born_at) < BIRTH_TOLERANCE_S


def _stage_stop(endings: Sequence[Ending]) -> None:
    waiting = [ending for ending in endings if is_ours(ending)]
    for ending in waiting:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(ending.pid, ending.stop_signal)
    began = time.monotonic()
    longest_s = max((ending.patience_s for ending in waiting), default=0.0)
    while waiting and time.monotonic() - began < longest_s + KILLED_GROUP_S_MAX:
        for ending in waiting:
            if time.monotonic() - began > ending.patience_s:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(ending.pid, signal.SIGKILL)
        time.sleep(POLL_S)
        alive = groups_alive(ending.pid for ending in waiting)
        waiting = [ending for ending in waiting if ending.pid in alive]
