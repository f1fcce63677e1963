"""A domain's enum as Django's choices and as the plain words of a check constraint.

Plain, so that a migration states the words themselves and does not follow the enum when it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


def words(members: Iterable[StrEnum]) -> list[str]:
    """The members' words, in the order given; those of a set are sorted."""
    values = [member.value for member in members]
    return sorted(values) if isinstance(members, (set, frozenset)) else values


def choices(members: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """Django's choices, labelled with the words themselves: one list of an enum everywhere, in OpenAPI
    too.
    """
    return [(word, word) for word in words(members)]
