"""Says what a signal means to a launch: stop in order, and while stopping, nothing."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_interrupt() -> Iterator[None]:
    """Inside, a closed terminal or a polite kill is what Ctrl-C is: a KeyboardInterrupt."""
    before = {name: signal.signal(name, _interrupt) for name in STOPPING}
    try:
        yield
    finally:
        for name, handling in before.items():
            signal.signal(name, handling)


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Inside, the impatient second Ctrl-C is ignored; what runs here must have an end of its own."""
    before = {name: signal.signal(name, signal.SIG_IGN) for name in STOPPING}
    try:
        yield
    finally:
        for name, handling in before.items():
            signal.signal(name, handling)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
