"""Tells the planner of a table that has just grown by much.

Autovacuum would, up to a minute later; until then it believes the table small, and reads a million rows for a page.
"""

from __future__ import annotations

from django.db import connection

ROWS_MANY = 10_000
"""A table that grew by fewer rows at once is left to autovacuum."""


def table_analyze(table: str, *, grown_by: int) -> None:
    """ANALYZE `table` (a name of ours) when it grew by many rows. Call it after the commit, where there is one."""
    if grown_by >= ROWS_MANY:
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")
