"""Checks staged rows set by set and brings the good ones into the book; no line of Python per row.

A file is first taken for clean: one INSERT .. SELECT per part of it checks and writes (`write_clean_rows`), and the
book's own unique index says whether an id is new. Where a single row is not good and new, that is undone, and
`check_rows` writes down what is wrong: bad rows (`policies_import_faults`, broken rules as bits) and rows whose id
the book has (`policies_import_booked`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from policies.domain import coverage
from policies.domain.catalogue import product_key
from policies.domain.intake import RowFault, SampleRow
from policies.services.row_rules import ALL_RULES, OVER_LIMIT, REPEATED, RULES, TAKEN, rule_bit

# Written at a time: what PostgreSQL sorts and remembers of them stays in memory.
WRITE_PAGES = 4_000


def _typed(where: str = "") -> str:
    """SQL for the staged rows with their product, moments and trigger.

    A moment begins year-month-day; the cast raises on what is none, and the file is then read carefully.
    OFFSET 0 keeps the planner from repeating a cast wherever its result is used.
    """
    return f"""
        SELECT file.row, external_id, holder, file.coverage_type, product.id AS product_id, is_valid, life,
            coverage_usd_min, coverage_usd_max, coverage_usd, premium_usd,
            CASE WHEN starts_at LIKE '____-__-__%%' THEN starts_at::timestamptz END AS starts_at,
            CASE WHEN expires_at LIKE '____-__-__%%' THEN expires_at::timestamptz END AS expires_at,
            CASE WHEN file.coverage_type = 'depeg' AND trigger_price IS NULL
                THEN {coverage.TRIGGER_PRICE_DEFAULT} ELSE trigger_price END AS trigger_price,
            CASE WHEN file.coverage_type = 'depeg' AND trigger_window_s IS NULL
                THEN {coverage.TRIGGER_WINDOW_S_DEFAULT} ELSE trigger_window_s END AS trigger_window_s
        FROM policies_import_rows AS file
        LEFT JOIN policies_product AS product USING (coverage_type, chain, stablecoin)
        {where} OFFSET 0
    """  # noqa: S608  constants of our own


_GOOD = " AND ".join(f"({rule.good})" for rule in RULES)
_BITS = " | ".join(f"CASE WHEN ({rule.good}) IS TRUE THEN 0 ELSE {rule_bit(rule)} END" for rule in RULES)
_IS_NEW = """
    NOT EXISTS (SELECT FROM policies_import_faults AS faults WHERE faults.row = typed.row)
    AND NOT EXISTS (SELECT FROM policies_import_booked AS booked WHERE booked.row = typed.row)
"""
_FIND_FAULTY = f"""
    DROP TABLE IF EXISTS policies_import_faults;
    CREATE TEMP TABLE policies_import_faults ON COMMIT DROP AS
    SELECT row, {_BITS} AS fault FROM ({_typed()}) AS typed WHERE ({_GOOD}) IS NOT TRUE
"""  # noqa: S608
_FIND_REPEATED = """
    INSERT INTO policies_import_faults (row, fault)
    SELECT row, %(bit)s FROM policies_import_rows JOIN (
        SELECT external_id, min(row) AS first_row FROM policies_import_rows
        WHERE external_id IS NOT NULL GROUP BY external_id HAVING count(*) > 1
    ) AS repeated USING (external_id)
    WHERE row > first_row
"""
_FIND_BOOKED = """
    DROP TABLE IF EXISTS policies_import_booked;
    CREATE TEMP TABLE policies_import_booked ON COMMIT DROP AS
    SELECT row, policy.id AS policy_id
    FROM policies_import_rows JOIN policies_policy AS policy USING (external_id)
"""
_FIND_TAKEN = f"""
    INSERT INTO policies_import_faults (row, fault)
    SELECT typed.row, %(bit)s
    FROM ({_typed()}) AS typed
    JOIN policies_import_booked AS booked ON booked.row = typed.row
    JOIN policies_policy AS policy ON policy.id = booked.policy_id
    WHERE NOT EXISTS (SELECT FROM policies_import_faults AS faults WHERE faults.row = typed.row)
        AND (policy.holder, policy.product_id, policy.coverage_usd, policy.premium_usd, policy.starts_at,
             policy.expires_at, policy.trigger_price, policy.trigger_window_s)
        IS DISTINCT FROM
            (typed.holder, typed.product_id, typed.coverage_usd, typed.premium_usd, typed.starts_at,
             typed.expires_at, typed.trigger_price, typed.trigger_window_s)
"""  # noqa: S608
_LOCK_LIMITED = """
    SELECT id FROM policies_product WHERE exposure_usd_max IS NOT NULL ORDER BY id FOR NO KEY UPDATE
"""
# Coverage of `product` in force or sold for later.
_COMMITTED = """
    SELECT coalesce(sum(coverage_usd), 0) AS usd FROM (
        SELECT coverage_usd FROM policies_exposure WHERE product_id = product.id
        UNION ALL SELECT coverage_usd FROM policies_exposuredelta WHERE product_id = product.id
        UNION ALL SELECT coverage_usd FROM policies_policy
            WHERE product_id = product.id AND status = 'scheduled'
    ) AS parts
"""
_FIND_OVER_LIMIT = f"""
    INSERT INTO policies_import_faults (row, fault)
    SELECT running.row, %(bit)s
    FROM (
        SELECT row, product_id, sum(coverage_usd) OVER (PARTITION BY product_id ORDER BY row) AS added_usd
        FROM ({_typed()}) AS typed WHERE product_id = ANY(%(limited)s) AND {_IS_NEW}
    ) AS running
    JOIN policies_product AS product ON product.id = running.product_id
    CROSS JOIN LATERAL ({_COMMITTED}) AS committed
    WHERE committed.usd + running.added_usd > product.exposure_usd_max
"""  # noqa: S608
_TALLY = f"""
    SELECT (SELECT count(*) FROM policies_import_rows),
        (SELECT count(DISTINCT row) FROM policies_import_faults), count(*), coalesce(sum(coverage_usd), 0)
    FROM policies_import_rows AS typed WHERE {_IS_NEW}
"""  # noqa: S608
_FAULTS = """
    SELECT row, bit_or(fault) FROM policies_import_faults GROUP BY row ORDER BY row LIMIT %(limit)s
"""
_SAMPLE = f"""
    SELECT row, coalesce(external_id, ''), product_id, coverage_usd, premium_usd, starts_at, expires_at,
        CASE WHEN row IN (SELECT row FROM policies_import_faults) THEN 'bad'
            WHEN row IN (SELECT row FROM policies_import_booked) THEN 'already there' ELSE 'new' END
    FROM ({_typed("WHERE file.row <= %(last)s")}) AS typed ORDER BY row
"""  # noqa: S608
_PAGES = """
    SELECT pg_relation_size('policies_import_rows') / current_setting('block_size')::int, count(*)
    FROM policies_import_rows
"""


def _write(where: str) -> str:
    """SQL that books the rows of some pages of the staging table, in the order of the file, with their exposure."""
    return f"""
        WITH added AS (
            INSERT INTO policies_policy (external_id, holder, product_id, coverage_usd, premium_usd, starts_at,
                expires_at, trigger_price, trigger_window_s, status, source, created_at)
            SELECT external_id, holder, product_id, coverage_usd, premium_usd, starts_at, expires_at,
                trigger_price, trigger_window_s, CASE WHEN starts_at <= %(now)s THEN 'active' ELSE 'scheduled' END,
                %(source)s, %(now)s
            FROM ({_typed("WHERE file.ctid >= %(first)s::tid AND file.ctid < %(last)s::tid")}) AS typed
            WHERE {where} ORDER BY typed.row
            RETURNING product_id, coverage_usd, status
        ), counted AS (
            INSERT INTO policies_exposuredelta (product_id, coverage_usd, policies_count)
            SELECT product_id, sum(coverage_usd), count(*) FROM added WHERE status = 'active' GROUP BY product_id
        )
        SELECT count(*), coalesce(sum(coverage_usd), 0) FROM added
    """  # noqa: S608


_WRITE_NEW = _write(_IS_NEW)
_WRITE_GOOD = _write(_GOOD)
_ROWS_OF_PART = """
    SELECT count(*) FROM policies_import_rows WHERE ctid >= %(first)s::tid AND ctid < %(last)s::tid
"""
_NO_VERDICTS = """
    DROP TABLE IF EXISTS policies_import_faults, policies_import_booked;
    CREATE TEMP TABLE policies_import_faults (row bigint, fault integer) ON COMMIT DROP;
    CREATE TEMP TABLE policies_import_booked (row bigint, policy_id bigint) ON COMMIT DROP
"""
_IS_OVER_LIMIT = f"""
    SELECT EXISTS (
        SELECT FROM policies_product AS product CROSS JOIN LATERAL ({_COMMITTED}) AS committed
        WHERE id = ANY(%(limited)s) AND committed.usd > exposure_usd_max
    )
"""  # noqa: S608


class NotClean(Exception):
    """A staged row is not good."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the checks found."""

    rows: int
    bad: int
    new: int
    new_usd: Decimal

    @property
    def already_there(self) -> int:
        """Rows that the book has on the same terms."""
        return self.rows - self.bad - self.new


def check_rows(*, now: datetime) -> Tally:
    """Find the faults of every staged row: of the row itself, beside the file's others, and beside the book.

    Raises django.db.DataError when a moment of a quickly staged file cannot be read.
    """
    _run("ANALYZE policies_import_rows (external_id)")
    _run(_FIND_FAULTY, now=now)
    _run(_FIND_REPEATED, bit=rule_bit(REPEATED))
    if _run(_FIND_BOOKED):
        _run(_FIND_TAKEN, bit=rule_bit(TAKEN))
    # Locked until the transaction ends, so that sales and other imports of limited products take turns with
    # this one.
    if limited := [product_id for (product_id,) in _rows_of(_LOCK_LIMITED)]:
        _run(_FIND_OVER_LIMIT, limited=limited, bit=rule_bit(OVER_LIMIT))
    _run("ANALYZE policies_import_faults; ANALYZE policies_import_booked")
    return Tally(*_rows_of(_TALLY)[0])


def faults_of_rows(*, limit: int) -> list[RowFault]:
    """The faults of the first bad rows, at most `limit`, in the order of the file."""
    return [
        RowFault(row=row, column=rule.column, message=f"{rule.column} {rule.message}", remedy=rule.remedy)
        for row, fault in _rows_of(_FAULTS, limit=limit)
        for rule in ALL_RULES
        if fault & rule_bit(rule)
    ][:limit]


def sample_of_rows(*, last: int) -> list[SampleRow]:
    """The rows up to row `last` as they were understood."""
    return [
        SampleRow(
            row=row,
            external_id=external_id,
            product=str(product_key(product_id)) if product_id is not None else "",
            coverage_usd=coverage_usd,
            premium_usd=premium_usd,
            starts_at=starts_at,
            expires_at=expires_at,
            verdict=verdict,
        )
        for row, external_id, product_id, coverage_usd, premium_usd, starts_at, expires_at, verdict in _rows_of(
            _SAMPLE, last=last
        )
    ]


def write_new_rows(tally: Tally, *, source: str, now: datetime, progress: Callable[[int, int], None]) -> None:
    """Book the rows that `check_rows` found good and new; `progress(done, total)` counts rows.

    Raises django.db.IntegrityError when one of them was sold meanwhile.
    """
    done = 0
    for first, last in _parts(_rows_of(_PAGES)[0][0]):
        done += _rows_of(_WRITE_NEW, first=first, last=last, source=source, now=now)[0][0]
        progress(done, tally.new)


def write_clean_rows(*, source: str, now: datetime, progress: Callable[[int, int], None]) -> Tally:
    """Check and book every staged row in one pass, when all are good and new; `progress` as above.

    Raises NotClean, django.db.IntegrityError (an id comes twice or is in the book) or django.db.DataError (a moment
    that cannot be read) otherwise; the caller must then undo what was written.
    """
    _run(_NO_VERDICTS)
    limited = [product_id for (product_id,) in _rows_of(_LOCK_LIMITED)]
    pages, rows = _rows_of(_PAGES)[0]
    due, done, done_usd = 0, 0, Decimal(0)
    for first, last in _parts(pages):
        due += _rows_of(_ROWS_OF_PART, first=first, last=last)[0][0]
        added, added_usd = _rows_of(_WRITE_GOOD, first=first, last=last, source=source, now=now)[0]
        done, done_usd = done + added, done_usd + added_usd
        if done < due:
            raise NotClean
        progress(done, rows)
    if limited and _rows_of(_IS_OVER_LIMIT, limited=limited)[0][0]:
        raise NotClean
    return Tally(rows=rows, bad=0, new=done, new_usd=done_usd)


def _parts(pages: int) -> Iterator[tuple[str, str]]:
    """The staging table in parts of WRITE_PAGES: from one place, up to but not including another."""
    for first in range(0, pages, WRITE_PAGES):
        yield f"({first},0)", f"({first + WRITE_PAGES},0)"


def _run(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def _rows_of(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
