"""Rate limits shared by all processes: a token bucket in PostgreSQL, on the database's clock."""

from __future__ import annotations

from decimal import Decimal

from django.db import connection

_ENSURE = """
    INSERT INTO plumbing_ratebucket (name, capacity, rate, tokens, at)
    VALUES (%(name)s, %(capacity)s, %(rate)s, %(capacity)s, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET
        capacity = EXCLUDED.capacity, rate = EXCLUDED.rate,
        tokens = LEAST(plumbing_ratebucket.tokens, EXCLUDED.capacity)
"""
_TAKE = """
    UPDATE plumbing_ratebucket SET
        tokens = LEAST(capacity, tokens + rate * GREATEST(0, extract(epoch FROM clock_timestamp() - at)))
            - %(tokens)s,
        at = GREATEST(at, clock_timestamp())
    WHERE name = %(name)s
        AND LEAST(capacity, tokens + rate * GREATEST(0, extract(epoch FROM clock_timestamp() - at)))
            - %(tokens)s >= %(floor)s
"""
_EMPTY = """
    UPDATE plumbing_ratebucket SET tokens = 0, at = clock_timestamp() + %(seconds)s * interval '1 second'
    WHERE name = %(name)s
"""


def bucket_ensure(name: str, *, capacity: Decimal, rate: Decimal) -> None:
    """Make the bucket, or give it new limits: `capacity` tokens at most, `rate` tokens a second."""
    with connection.cursor() as cursor:
        cursor.execute(_ENSURE, {"name": name, "capacity": capacity, "rate": rate})


def bucket_take(name: str, *, tokens: int = 1, floor: int = 0) -> bool:
    """Take `tokens` if at least `floor` remain afterwards; False (and nothing taken) otherwise or without a
    bucket.

    `floor` keeps a reserve for look-ups and cancels.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": name, "tokens": tokens, "floor": floor})
        return cursor.rowcount == 1


def bucket_empty(name: str, *, seconds: int) -> None:
    """The venue said to wait: nothing is granted for `seconds`, then the bucket refills at its rate."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, {"name": name, "seconds": seconds})
