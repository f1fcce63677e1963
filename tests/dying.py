"""A process of the money path that can be told where to die: `python -m tests.dying STEP VERB ID,ID,…`.

STEP names the line before which it kills itself (or, with `sleep:`, stops itself until somebody wakes it); `none` lets
it live. It says `ready`, waits for a line, does VERB (`place` intents or `check` an order) and says what came of each.
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
    "counted": ("hedging.services.executor", "orders_prepare"),
    "prepared": ("hedging.services.executor", "orders_commit_to_send"),
    "committed": ("hedging.services.executor", "orders_transmit"),
    "answered": ("hedging.services.sends", "orders_hear"),
    "booking": ("hedging.services.fills", "position_book"),
    "attributing": ("hedging.services.attributions", "shares_add"),
}


def fatal(act: Callable[..., Any], how: signal.Signals) -> Callable[..., Any]:
    """`act`, but first a signal to ourselves that nobody can catch."""

    def instead(*args: Any, **names: Any) -> Any:
        os.kill(os.getpid(), how)
        return act(*args, **names)

    return instead


def main(step: str, verb: str, numbers: str) -> None:
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
    ids = [uuid.UUID(number) for number in numbers.split(",")]
    if verb == "place":
        said = [item.word for item in executor.intents_place("polymarket", ids, now=utc_now()).values()]
    else:
        said = [resolver.order_check(ids[0], now=utc_now()).word]
    print(" ".join(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
