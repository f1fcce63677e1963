"""What the database says when it refuses: its own reason, so that a test never passes for another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
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
    with pytest.raises(Error) as caught, transaction.atomic():
        yield
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert (reason_of(caught.value), saying in str(caught.value)) == (reason, True), str(caught.value)


def sql(statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run one statement as a shell would, past every layer of ours."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []
