"""The launcher's side of the process that runs management commands for it."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper

SETUP_S_MAX = 120
COMMAND_S_MAX = 900
READ_BYTES_MAX = 1 << 20
POLL_S = 0.5


@dataclass(frozen=True)
class Answer:
    """What a command came to: its exit code and all it printed."""

    code: int
    output: str


class CommandRoom:
    """A Python with Django loaded that runs one management command after another."""

    def __init__(self, keeper: Keeper, *, environment: Mapping[str, str], log: Path, stage: int) -> None:
        self._keeper = keeper
        self._rest = b""
        self._workers: dict[str, list[str]] | None = None
        self.child: Child = keeper.spawn(
            "commands",
            [sys.executable, "-m", "tonsurance.launch.commands_child"],
            log=log,
            environment=environment,
            stage=stage,
            conversing=True,
        )

    def workers(self) -> dict[str, list[str]]:
        """Wait until Django is loaded; the settings' workers and their queues."""
        if self._workers is None:
            hello = self._listen(SETUP_S_MAX, doing="loading Django")
            self._workers = {name: list(queues) for name, queues in hello["workers"].items()}
        return self._workers

    def attempt(self, *command: str, seconds_max: float = COMMAND_S_MAX) -> Answer:
        """Run a command and return its answer, whatever it is. Raises LaunchFailed when none comes."""
        return self._ask({"command": command}, seconds_max, doing=f"manage.py {command[0]}")

    def learn(self, variables: Mapping[str, str]) -> None:
        """Let the commands that follow run with `variables` in their environment and settings."""
        self._ask({"variables": dict(variables)}, SETUP_S_MAX, doing="reading the settings again")

    def run(self, *command: str, seconds_max: float = COMMAND_S_MAX) -> str:
        """Run a command and return what it printed. Raises LaunchFailed with its last words on another exit than 0."""
        answer = self.attempt(*command, seconds_max=seconds_max)
        if answer.code != 0:
            raise LaunchFailed(
                f"manage.py {' '.join(command)} failed (exit {answer.code}):\n{answer.output.strip()}"
            )
        return answer.output

    def close(self) -> None:
        """Let the process go; it holds a database connection that nobody needs any more."""
        if self.child.process.stdin is not None:
            self.child.process.stdin.close()
        self._keeper.expect_end(self.child)

    def _ask(self, request: dict[str, Any], seconds_max: float, *, doing: str) -> Answer:
        self.workers()
        stdin = self.child.process.stdin
        if stdin is None:
            raise LaunchFailed("the command process has no input")
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError:
            raise LaunchFailed(f"{doing} could not run:\n{self.child.last_words()}") from None
        heard = self._listen(seconds_max, doing=doing)
        return Answer(code=int(heard["code"]), output=str(heard["output"]))

    def _listen(self, seconds_max: float, *, doing: str) -> dict[str, Any]:
        stdout = self.child.process.stdout
        if stdout is None:
            raise LaunchFailed("the command process has no output")
        deadline = time.monotonic() + seconds_max
        while b"\n" not in self._rest:
            self._keeper.check_alive()
            readable, _, _ = select.select([stdout], [], [], POLL_S)
            if readable:
                received = os.read(stdout.fileno(), READ_BYTES_MAX)
                if not received:
                    raise LaunchFailed(f"{doing}: the process ended:\n{self.child.last_words()}")
                self._rest += received
            elif time.monotonic() > deadline:
                raise LaunchFailed(f"{doing} took more than {seconds_max:.0f} s:\n{self.child.last_words()}")
        line, _, self._rest = self._rest.partition(b"\n")
        heard: dict[str, Any] = json.loads(line)
        return heard
