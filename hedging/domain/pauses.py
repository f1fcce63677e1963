"""What a venue that says "not now" still takes: the kinds of its pauses, and what goes on in each.

A pause is nobody's failure: the decision stands, nothing is counted against it, and the pause ends by itself.
"""

from __future__ import annotations

from enum import StrEnum


class Pause(StrEnum):
    """RESTART: the engine is away. POST_ONLY: resting orders and cancels go on. CANCEL_ONLY: cancels do.

    DISABLED: nothing does. RATE_LIMIT: we asked too often.
    """

    RESTART = "restart"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"
    RATE_LIMIT = "rate_limit"


# The adapters' codes of refusals that are pauses (venues/adapters/*/refusals.py).
_KINDS = {
    "engine_restarting": Pause.RESTART,
    "post_only_mode": Pause.POST_ONLY,
    "cancel_only": Pause.CANCEL_ONLY,
    "trading_disabled": Pause.DISABLED,
    "too_many_requests": Pause.RATE_LIMIT,
}

SECONDS = 30
"""How long a venue rests that says "not now" without saying for how long."""


def pause_of(code: str) -> Pause:
    """The kind of pause that a refusal's code means; one that we do not know stops everything for its time."""
    return _KINDS.get(code, Pause.DISABLED)


def takes_resting_orders(pause: Pause) -> bool:
    """Whether post-only orders may still be sent."""
    return pause is Pause.POST_ONLY
