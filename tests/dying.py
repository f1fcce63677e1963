"""A process of the money path that can be told where to die: `python -m tests.dying STEP VERB ID`.

STEP names the line before which it kills itself (or, with `sleep:`, stops itself until somebody wakes it); `none` lets
it live. It says `ready`, waits for a line, does VERB (`place` an intent or `check` an order) and says what came of it.
Only the fatal line is put in place; everything else is the product as it is.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Callable
from typing import Any

import django

STEPS = {
    "prepared": ("hedging.services.executor", "_send"),
    "committed": ("hedging.services.executor", "order_transmit"),
    "answered": ("hedging.services.executor", "order_hear"),
    "booking": ("hedging.services.fills", "fill_attribute"),
}


def fatal(act: Callable[..., Any], how: signal.Signals) -> Callable[..., Any]:
    """`act`, but first a signal to ourselves that nobody can catch."""

    def instead(*args: Any, **names: Any) -> Any:
        os.kill(os.getpid(), how)
        return act(*args, **names)

    return instead


def main(step: str, verb: str, number: str) -> None:
    """Stand ready, wait for the word, act."""
    django.setup()
    from importlib import import_module

    from hedging.services import executor, resolver
    from tonsurance.kernel.clock import utc_now
    from venues.registry import gateway_for

    kind, _, name = step.rpartition(":")
    if name != "none":
        module, attribute = STEPS[name]
        owner = import_module(module)
        how = signal.SIGSTOP if kind == "sleep" else signal.SIGKILL
        setattr(owner, attribute, fatal(getattr(owner, attribute), how))
    gateway_for("polymarket")
    print("ready", flush=True)
    sys.stdin.readline()
    act: Callable[..., Any] = {"place": executor.intent_place, "check": resolver.order_check}[verb]
    print(act(uuid.UUID(number), now=utc_now()).word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
