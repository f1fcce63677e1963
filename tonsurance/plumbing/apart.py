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

DATABASE_AWAY = (OperationalError, InterfaceError)


@contextmanager
def apart(event: str, **names: str) -> Iterator[None]:
    """Log whatever is raised inside as `event` with `names`, except that the database is away."""
    try:
        yield
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception(event, **names)
