"""Keeps one item's fault away from the others in a loop over many.

Nothing is carried on for the item itself: it is reported with its traceback and comes up again by its own
row. A database that is away is everybody's fault and is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

log = structlog.get_logger(__name__)

Item = TypeVar("Item", bound=Hashable)
Row = TypeVar("Row")

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


def together(
    items: Sequence[Item], write: Callable[[Sequence[Item]], list[Row]]
) -> tuple[list[Row], dict[Item, DatabaseError]]:
    """Write for all items at once; when the database refuses, for each alone, so that it refuses only its own.

    Returns what `write` returned for those that were written, and the refusal of each that was not. Call it inside a
    transaction: every try is a savepoint of it.
    """
    if not items:
        return [], {}
    try:
        with transaction.atomic():
            return write(items), {}
    except DatabaseError as error:
        if database_is_away(error):
            raise
        if len(items) == 1:
            return [], {items[0]: error}
    written: list[Row] = []
    refused: dict[Item, DatabaseError] = {}
    for item in items:
        try:
            with transaction.atomic():
                written += write([item])
        except DatabaseError as error:
            if database_is_away(error):
                raise
            refused[item] = error
    return written, refused


def sqlstate_of(error: DatabaseError) -> str:
    """The database's code of a refusal: HB0xx are this book's own ("" when it gave none)."""
    return getattr(error.__cause__, "sqlstate", None) or ""
