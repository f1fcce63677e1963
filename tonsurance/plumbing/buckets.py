"""Rate limits shared by all processes: a token bucket in PostgreSQL, on the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from tonsurance.kernel.errors import Broken

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
    UPDATE plumbing_ratebucket
    SET tokens = 0, at = GREATEST(at, clock_timestamp() + %(seconds)s * interval '1 second')
    WHERE name = %(name)s
"""
_OPEN = """
    INSERT INTO plumbing_ratebucket (name, capacity, rate, tokens, at)
    VALUES (%(name)s, %(capacity)s, %(rate)s, %(capacity)s, clock_timestamp())
    ON CONFLICT (name) DO NOTHING
"""
# One statement, one round trip. The rows are locked in the order of their names, and read as they are once locked; the
# update sees those values, so that two takers never spend the same token. `set_config` holds for this transaction only.
_TAKE_ALL = """
    WITH wanted AS (
        SELECT * FROM unnest(%(names)s::text[], %(tokens)s::numeric[], %(floors)s::numeric[])
            AS wanted (name, tokens, floor)
    ), locked AS MATERIALIZED (
        SELECT bucket.name, bucket.capacity, bucket.rate, wanted.tokens, wanted.floor,
            LEAST(bucket.capacity, bucket.tokens
                + bucket.rate * GREATEST(0, extract(epoch FROM clock_timestamp() - bucket.at))) AS available,
            GREATEST(0, extract(epoch FROM bucket.at - clock_timestamp())) AS blocked_s,
            GREATEST(bucket.at, clock_timestamp()) AS read_at
        FROM plumbing_ratebucket AS bucket JOIN wanted ON wanted.name = bucket.name
        ORDER BY bucket.name FOR UPDATE OF bucket
    ), judged AS MATERIALIZED (
        SELECT count(*) = cardinality(%(names)s::text[]) AND bool_and(available >= tokens + floor) AS is_granted,
            set_config('synchronous_commit', CASE WHEN %(is_alone)s THEN 'off'
                ELSE current_setting('synchronous_commit') END, true)
        FROM locked
    ), taken AS (
        UPDATE plumbing_ratebucket AS bucket SET tokens = locked.available - locked.tokens, at = locked.read_at
        FROM locked, judged WHERE bucket.name = locked.name AND judged.is_granted
    )
    SELECT locked.name, capacity, rate, available, blocked_s, is_granted FROM locked, judged
"""
_LOWER = """
    UPDATE plumbing_ratebucket SET
        tokens = GREATEST(0, %(tokens)s),
        at = clock_timestamp() + GREATEST(0, -%(tokens)s) / rate * interval '1 second'
    WHERE name = %(name)s
        AND LEAST(capacity, tokens + rate * GREATEST(0, extract(epoch FROM clock_timestamp() - at)))
            > %(tokens)s
        AND at <= clock_timestamp() + GREATEST(0, -%(tokens)s) / rate * interval '1 second'
"""


class Take(NamedTuple):
    """`tokens` of the bucket `name`, of which at least `floor` must remain afterwards."""

    name: str
    tokens: int
    floor: int = 0


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


def bucket_open(name: str, *, capacity: Decimal, rate: Decimal) -> None:
    """Make the bucket if there is none; one that exists keeps the limits it learned."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"name": name, "capacity": capacity, "rate": rate})


def buckets_take(takes: Sequence[Take]) -> float | None:
    """Take from all buckets or from none: 0.0 when granted, else the seconds until all could be; None when one is
    missing.

    Raises Broken for more than a bucket can ever hold: waiting would never end.
    """
    wanted = {take.name: take for take in takes}
    told: dict[str, Any] = {
        "names": list(wanted),
        "tokens": [take.tokens for take in wanted.values()],
        "floors": [take.floor for take in wanted.values()],
        # What a crash would forget here is a moment of politeness; waiting for the disk costs more than the order.
        # Inside a caller's transaction it is the caller's to say how it commits.
        "is_alone": not connection.in_atomic_block,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_ALL, told)
        rows = cursor.fetchall()
    if len(rows) < len(wanted):
        return None
    waits = [
        _wait_s(wanted[name], capacity=capacity, rate=rate, available=available, blocked_s=blocked_s)
        for name, capacity, rate, available, blocked_s, _ in rows
    ]
    return 0.0 if rows[0][-1] else max(waits)


def _wait_s(take: Take, *, capacity: Decimal, rate: Decimal, available: Decimal, blocked_s: Decimal) -> float:
    if take.tokens + take.floor > capacity:
        raise Broken(f"{take.name} holds {capacity} tokens and never grants {take.tokens} above {take.floor}")
    missing = take.tokens + take.floor - available
    return 0.0 if missing <= 0 else float(blocked_s + missing / rate)


def bucket_lower(name: str, *, tokens: Decimal) -> None:
    """Somebody who knows says that only `tokens` are left; below zero they have to trickle in first.

    A bucket that has fewer stays: what was said may be older than what was taken since.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOWER, {"name": name, "tokens": tokens})
