"""Outlives a launcher that was killed, just long enough to stop what it had started.

The launcher tells it every process on standard input. When that closes without a dismissal, or the
launcher is no longer its parent, the endings are carried out here.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys

from tonsurance.launch.endings import Ending, endings_carry_out

PARENT_CHECK_S = 1.0
MESSAGE_BYTES_MAX = 65536


def keep_watch(source: int) -> None:
    """Read messages from file descriptor `source` until dismissal, its end, or the parent's death."""
    parent = os.getppid()
    endings: list[Ending] = []
    rest = b""
    while os.getppid() == parent:
        readable, _, _ = select.select([source], [], [], PARENT_CHECK_S)
        if not readable:
            continue
        received = os.read(source, MESSAGE_BYTES_MAX)
        if not received:
            break
        *lines, rest = (rest + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message.get("dismissed"):
                return
            endings.append(Ending(**message))
    endings_carry_out(endings)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    keep_watch(sys.stdin.fileno())
