"""Keeps one item's fault away from the others in a loop over many.

Nothing is carried on for the item itself: it is reported with its traceback and comes up again by its own
row. A database that is away is everybody's fault and is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import InterfaceError, OperationalError

log = structlog.get_logger(__name__)

_AWAY = (OperationalError, InterfaceError)
# SQLSTATE classes of a lost connection, a server that is full, and one that is shut down (PostgreSQL, appendix A).
_AWAY_CLASSES = ("08", "53", "57")


def database_is_away(error: BaseException) -> bool:
    """Whether the database could not be asked. A refusal by its rules is an error of the same Python class."""
    if not isinstance(error, _AWAY):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state[:2] in _AWAY_CLASSES


@contextmanager
def apart(event: str, **names: str) -> Iterator[None]:
    """Log whatever is raised inside as `event` with `names`, except that the database is away."""
    try:
        yield
    except Exception as error:
        if database_is_away(error):
            raise
        log.exception(event, **names)
