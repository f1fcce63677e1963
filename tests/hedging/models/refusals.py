"""What the database says when it refuses: its own reason, so that a test never passes for another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import Error, connection, transaction


def reason_of(error: BaseException) -> str:
    """The name of the constraint that refused, or the SQLSTATE where a trigger did."""
    cause = error.__cause__
    assert isinstance(cause, psycopg.Error), f"not the database's refusal: {error!r}"
    return cause.diag.constraint_name or cause.sqlstate or ""


@contextmanager
def refused(reason: str, *, saying: str = "") -> Iterator[None]:
    """The block must be refused for `reason` (constraint name or SQLSTATE), with `saying` in the message.

    Deferred rules are asked at the end of the block.
    """
    caught: Error | None = None
    try:
        with transaction.atomic():
            yield
            sql("SET CONSTRAINTS ALL IMMEDIATE")
    except Error as error:
        caught = error
    assert caught is not None, f"not refused, where {reason} was expected"
    assert (reason_of(caught), saying in str(caught)) == (reason, True), str(caught)


def sql(statement: str, *values: Any) -> list[tuple[object, ...]]:
    """Run one statement as a shell would, past every layer of ours."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []
