"""A PostgreSQL cluster of our own on a unix socket: made once, started, found again, stopped.

Only processes that work inside its data directory are taken for its own, so a lock file left by a
killed server is judged by what is running and not by a number that may mean another process now.
"""

from __future__ import annotations

import contextlib
import locale
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tonsurance.launch.binaries import PostgresPrograms
from tonsurance.launch.endings import processes_in, processes_stop
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper, environment_of_children
from tonsurance.launch.run_as import RunAs

ROLE = "tonsurance"
PORT = "5432"
PROCESS_NAMES = frozenset({"postgres", "postmaster"})

INITDB_S_MAX = 120
READY_S_MAX = 60
STOP_S_MAX = 20
POLL_S = 0.02
STATUS_LINE = 7

ALWAYS = {"listen_addresses": "", "port": PORT, "max_connections": "200", "jit": "off", "log_timezone": "UTC"}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class PostgresCluster:
    """A data directory, the socket directory its server listens in, and the programs that serve it.

    `durable` false trades safety after a power cut for speed: for tests alone.
    """

    programs: PostgresPrograms
    run_as: RunAs
    data: Path
    sockets: Path
    log: Path
    durable: bool

    def url(self, database: str) -> str:
        """The DATABASE_URL of `database`, as django-environ reads a socket directory."""
        return f"postgres://{ROLE}@/{self.sockets}/{database}"

    def start(self, keeper: Keeper, *, stage: int) -> Child:
        """Make the cluster if it is new, end what a killed launch left, start it, wait until it answers."""
        self.leftovers_stop()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._version_check()
        options = ALWAYS | ({} if self.durable else FORGETFUL)
        child = keeper.spawn(
            "postgresql",
            [
                str(self.programs.folder / "postgres"),
                *("-D", str(self.data), "-k", str(self.sockets)),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            environment=environment_of_children(),
            stage=stage,
            run_as=self.run_as,
            stop_signal=signal.SIGINT,  # PostgreSQL's "fast" shutdown: it does not wait for clients
            patience_s=STOP_S_MAX,
        )
        self._wait_until_ready(child)
        return child

    def leftovers_stop(self) -> None:
        """End every process of this cluster, and forget lock files that name a stranger."""
        running = processes_in(self.data, names=PROCESS_NAMES)
        numbers = {process.pid for process in running}
        first = [process for process in running if process.ppid() not in numbers]
        processes_stop(first, stop_signal=signal.SIGINT, patience_s=STOP_S_MAX)
        processes_stop(
            processes_in(self.data, names=PROCESS_NAMES), stop_signal=signal.SIGQUIT, patience_s=STOP_S_MAX
        )
        for lock in (self.data / "postmaster.pid", *self.sockets.glob(f".s.PGSQL.{PORT}*")):
            lock.unlink(missing_ok=True)

    def _initialise(self) -> None:
        unfinished = self.data.with_name(f"{self.data.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.run_as.own(unfinished)
        command = [
            *self.run_as.prefix,
            str(self.programs.folder / "initdb"),
            *("--pgdata", str(unfinished), "--username", ROLE, "--auth", "trust"),
            *("--encoding", "UTF8", f"--locale={cluster_locale()}"),
            *([] if self.durable else ["--no-sync"]),
        ]
        try:
            done = subprocess.run(
                command,
                env=environment_of_children(),
                capture_output=True,
                text=True,
                timeout=INITDB_S_MAX,
                cwd="/",
                check=False,
                **self.run_as.popen_arguments(),
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise LaunchFailed(f"PostgreSQL's initdb could not run: {failure}") from failure
        if done.returncode != 0:
            raise LaunchFailed(f"PostgreSQL's initdb failed:\n{done.stderr.strip()[-2000:]}")
        unfinished.rename(self.data)

    def _version_check(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.programs.major):
            raise LaunchFailed(
                f"{self.data} was made by PostgreSQL {made_by} and the one here is {self.programs.major}: "
                "start with --fresh to make it anew"
            )

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline:
            if child.process.poll() is not None:
                raise LaunchFailed(f"PostgreSQL did not start:\n{child.last_words()}")
            with contextlib.suppress(OSError, IndexError):
                if (self.data / "postmaster.pid").read_text().splitlines()[STATUS_LINE].strip() == "ready":
                    return
            time.sleep(POLL_S)
        raise LaunchFailed(f"PostgreSQL was not ready after {READY_S_MAX} s:\n{child.last_words()}")


def cluster_locale() -> str:
    """C.UTF-8 where the system has it (letters beyond ASCII fold their case), else C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
