"""A Valkey server of our own on a unix socket: started, found again, stopped.

It holds bells and counters, never money: with `durable` it appends to a file so that a demo goes on
where it was, and losing that file loses nothing but time.
"""

from __future__ import annotations

import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from tonsurance.launch.endings import processes_in, processes_stop
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper, environment_of_children

PROCESS_NAMES = frozenset({"valkey-server", "redis-server"})
SOCKET_NAME = "vk.sock"

READY_S_MAX = 30
STOP_S_MAX = 10
ANSWER_S_MAX = 1.0
POLL_S = 0.02


@dataclass(frozen=True)
class ValkeyServer:
    """A data directory, the socket directory it listens in, and the program that serves it."""

    program: Path
    data: Path
    sockets: Path
    log: Path
    durable: bool

    @property
    def socket(self) -> Path:
        """The socket's address."""
        return self.sockets / SOCKET_NAME

    def url(self, database: int = 0) -> str:
        """The REDIS_URL of one numbered database, as redis-py reads it."""
        return f"unix://{self.socket}?db={database}"

    def start(self, keeper: Keeper, *, stage: int) -> Child:
        """End what a killed launch left, start the server, wait until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.leftovers_stop()
        child = keeper.spawn(
            "valkey",
            [
                str(self.program),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.data), "--save", "", "--appendonly", "yes" if self.durable else "no"),
                *("--daemonize", "no", "--databases", "32"),
            ],
            log=self.log,
            environment=environment_of_children(),
            stage=stage,
            patience_s=STOP_S_MAX,
        )
        self._wait_until_ready(child)
        return child

    def leftovers_stop(self) -> None:
        """End a server that works in our data directory, and forget its socket."""
        processes_stop(
            processes_in(self.data, names=PROCESS_NAMES), stop_signal=signal.SIGTERM, patience_s=STOP_S_MAX
        )
        self.socket.unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether it says PONG to a PING."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(ANSWER_S_MAX)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline:
            if child.process.poll() is not None:
                raise LaunchFailed(f"Valkey did not start:\n{child.last_words()}")
            if self.answers():
                return
            time.sleep(POLL_S)
        raise LaunchFailed(f"Valkey was not ready after {READY_S_MAX} s:\n{child.last_words()}")
