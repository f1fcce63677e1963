"""The life of a mapping: proposed by a search or a person, approved by a person, suspended by either, or declined."""

from __future__ import annotations

from enum import StrEnum


class MappingState(StrEnum):
    """PROPOSED waits for a person. Only APPROVED is traded through; what is held may be sold in every state."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    DECLINED = "declined"


class Suspension(StrEnum):
    """Why a mapping rests. PAUSED and UNLISTED end by themselves with their cause; all others need a person.

    UNLISTED: the venue does not name the market any more. SETTLING: its resolution was proposed, disputed or made.
    ENDING: it ends sooner than `mappingSuspendDaysBeforeEnd` from now.
    """

    WORDING = "wording"
    CLOSED = "closed"
    SETTLING = "settling"
    ENDING = "ending"
    UNLISTED = "unlisted"
    PAUSED = "paused"
    PERSON = "person"


PASSING = frozenset({Suspension.PAUSED, Suspension.UNLISTED})
"""Suspensions that the machine may lift when their cause is gone: docs/adr/0010-suspended-mappings.md."""
