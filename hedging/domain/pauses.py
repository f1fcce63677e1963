"""What a venue that says "not now" still takes: the kinds of its pauses, and what goes on in each.

A pause is nobody's failure: the decision stands, nothing is counted against it, and the pause ends by itself. Its kind
comes with the venue's answer (`venues.domain.gateway.PauseKind`).
"""

from __future__ import annotations

from venues.domain.gateway import PauseKind as Pause
from venues.domain.gateway import Rejected

__all__ = ["SECONDS", "Pause", "pause_of", "takes_resting_orders"]

SECONDS = 30
"""How long a venue rests that says "not now" without saying for how long."""


def pause_of(refusal: Rejected) -> Pause:
    """The kind of pause that a refusal means; one that says none stops everything for its time."""
    return refusal.pause_kind or Pause.DISABLED


def takes_resting_orders(pause: Pause) -> bool:
    """Whether post-only orders may still be sent."""
    return pause.takes_post_only
