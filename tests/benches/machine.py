"""Says on what machine, with which programs and at which commit a bench ran."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent
GIT_S_MAX = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The machine in words."""

    processor: str
    cores: int
    memory_gib: int
    system: str
    python: str
    postgresql: str
    commit: str

    @property
    def words(self) -> str:
        """One line."""
        return (
            f"{self.cores} x {self.processor}, {self.memory_gib} GiB, {self.system}, Python {self.python}"
            + (f", PostgreSQL {self.postgresql}" if self.postgresql else "")
        )


def machine(*, with_database: bool) -> Machine:
    """This machine and this checkout."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=_postgresql() if with_database else "",
        commit=_commit(),
    )


def load() -> str:
    """How many processes wanted to run during the last minute, for instance `0.42`; over the number of cores it
    disturbs.
    """
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _postgresql() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0]).split()[0]


def _commit() -> str:
    """Short hash, with + when files were changed since; empty outside a checkout."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=GIT_S_MAX, check=True
    ).stdout.strip()
