"""Starts processes and answers for their end, however this process itself ends.

Every child leads its own session, so a Ctrl-C in the terminal reaches only us and we stop the children
in order. A second small process, the warden, does the same when we are killed and cannot.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tonsurance.launch.endings import Ending, birth_of, endings_carry_out
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.paths import ROOT
from tonsurance.launch.run_as import RunAs

WARDEN_GOODBYE_S_MAX = 10


@dataclass(frozen=True)
class Child:
    """A process we started: its name for people, its handle, and the log that holds its words."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Keeper:
    """The children of one launch, their endings, and the warden that knows them too.

    `keep_open` are file descriptors the warden inherits: a lock held through one of them is free only
    when the last process of the launch is gone.
    """

    def __init__(self, *, keep_open: Sequence[int] = ()) -> None:
        self.children: list[Child] = []
        self._started: list[subprocess.Popen[bytes]] = []
        self._endings: list[Ending] = []
        self._stopped = False
        self._warden = subprocess.Popen(
            [sys.executable, "-m", "tonsurance.launch.warden"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )

    def spawn(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        stage: int,
        run_as: RunAs | None = None,
        cwd: Path = ROOT,
        stop_signal: int = signal.SIGTERM,
        patience_s: float = 10,
        conversing: bool = False,
    ) -> Child:
        """Start a process in a session of its own, its output in `log`.

        With `conversing` its standard input and output are pipes to us and only its errors go to `log`.
        `stage` orders the end: higher stages stop first, one stage together. `stop_signal` asks it to
        stop; after `patience_s` seconds its whole group is killed.
        """
        run_as = run_as or RunAs()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*run_as.prefix, *command],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.PIPE if conversing else subprocess.DEVNULL,
                stdout=subprocess.PIPE if conversing else output,
                stderr=output,
                start_new_session=True,
                **run_as.popen_arguments(),
            )
        self._remember(
            Ending(
                kind="process",
                stage=stage,
                pid=process.pid,
                stop_signal=stop_signal,
                patience_s=patience_s,
                born_at=birth_of(process.pid),
            )
        )
        self._started.append(process)
        child = Child(name=name, process=process, log=log)
        self.children.append(child)
        return child

    def remove_at_end(self, directory: Path) -> None:
        """Delete `directory` when everything has stopped."""
        self._remember(Ending(kind="directory", stage=-1, path=str(directory)))

    def expect_end(self, child: Child) -> None:
        """The child may end by itself from now on."""
        self.children.remove(child)

    def check_alive(self) -> None:
        """Raise LaunchFailed with the last words of a child that ended by itself."""
        for child in list(self.children):
            code = child.process.poll()
            if code is not None:
                raise LaunchFailed(
                    f"{child.name} ended (exit {code}); the end of {child.log}:\n{child.last_words()}"
                )

    def stop(self) -> None:
        """Stop every child, highest stage first, delete what was promised, and dismiss the warden."""
        if self._stopped:
            return
        self._stopped = True
        for child in self.children:
            if child.process.stdin is not None:
                with contextlib.suppress(OSError):
                    child.process.stdin.close()  # one that converses has nothing more to wait for
        endings_carry_out(self._endings)
        for process in self._started:
            process.poll()  # buried here, or it would stay behind as a zombie
        self._tell({"dismissed": True})
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        try:
            self._warden.wait(timeout=WARDEN_GOODBYE_S_MAX)
        except subprocess.TimeoutExpired:
            self._warden.kill()
            self._warden.wait(timeout=WARDEN_GOODBYE_S_MAX)

    def _remember(self, ending: Ending) -> None:
        self._endings.append(ending)
        self._tell(asdict(ending))

    def _tell(self, message: dict[str, object]) -> None:
        """A warden that is gone is no reason to stop working: the next start finds what it left."""
        if self._warden.stdin is None:
            return
        try:
            self._warden.stdin.write(json.dumps(message).encode() + b"\n")
            self._warden.stdin.flush()
        except (BrokenPipeError, OSError):
            return


def environment_of_children(**variables: str) -> dict[str, str]:
    """Our environment without libpq's own variables (they would redirect a client), plus `variables`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, **variables}
