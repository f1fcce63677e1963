"""Checks staged rows set by set: casts what is well-formed, finds the product, marks broken rules as bits.

No line of Python per row; the words of a fault are looked up for bad rows only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from policies.domain import coverage
from policies.domain.intake import RowFault, SampleRow
from policies.services.row_rules import ALL_RULES, OVER_LIMIT, REPEATED, RULES, TAKEN, rule_bit

_MONEY = r"^[0-9]{1,15}(\.[0-9]{1,6})?$"
_PRICE = r"^[0-9]{1,3}(\.[0-9]{1,10})?$"
_SECONDS = r"^[0-9]{1,7}$"
_DAY = r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?"
_MOMENT = rf"^{_DAY}([T ]{_TIME})?$"


def _moment(column: str) -> str:
    """SQL for the moment that a text spells, null when it spells none; the 31st of a short month is none."""
    return f"""CASE WHEN {column} ~ '{_MOMENT}' THEN
        CASE WHEN substr({column}, 9, 2)::int <= extract(day FROM
            (substr({column}, 1, 8) || '01')::date + interval '1 month - 1 day')
        THEN {column}::timestamptz END END"""


def _number(column: str, pattern: str) -> str:
    return f"CASE WHEN {column} ~ '{pattern}' THEN {column}::numeric END"


# OFFSET 0 keeps the planner from repeating a cast wherever its result is used.
_CHECK = f"""
    CREATE TEMP TABLE policies_import_rows ON COMMIT DROP AS
    SELECT row, external_id, holder, product_id, coverage_usd, premium_usd, starts_at, expires_at,
        CASE WHEN coverage_type = 'depeg' THEN coalesce(trigger_price, {coverage.TRIGGER_PRICE_DEFAULT}) END
            AS trigger_price,
        CASE WHEN coverage_type = 'depeg' THEN coalesce(trigger_window_s, {coverage.TRIGGER_WINDOW_S_DEFAULT})
        END
            AS trigger_window_s,
        CASE WHEN starts_at <= %(now)s THEN 'active' ELSE 'scheduled' END AS status,
        false AS is_booked,
        CASE WHEN {" AND ".join(f"({rule.good}) IS TRUE" for rule in RULES)} THEN 0
            ELSE {" | ".join(f"CASE WHEN ({r.good}) IS TRUE THEN 0 ELSE {rule_bit(r)} END" for r in RULES)}
            END AS fault
    FROM (
        SELECT file.row, file.external_id, file.holder, file.coverage_type, product.id AS product_id,
            product.is_valid, product.life, product.coverage_usd_min, product.coverage_usd_max,
            {_number("file.coverage_usd", _MONEY)} AS coverage_usd,
            {_number("file.premium_usd", _MONEY)} AS premium_usd,
            {_moment("file.starts_at")} AS starts_at,
            {_moment("file.expires_at")} AS expires_at,
            file.trigger_price AS trigger_price_text,
            {_number("file.trigger_price", _PRICE)} AS trigger_price,
            file.trigger_window_s AS trigger_window_text,
            CASE WHEN file.trigger_window_s ~ '{_SECONDS}' THEN file.trigger_window_s::int END AS
            trigger_window_s
        FROM policies_import_text AS file
        LEFT JOIN policies_product AS product USING (coverage_type, chain, stablecoin)
        OFFSET 0
    ) AS typed
"""  # noqa: S608  built from constants only
_MARK_REPEATED = """
    UPDATE policies_import_rows SET fault = fault | %(bit)s
    FROM (
        SELECT external_id, min(row) AS first_row FROM policies_import_rows
        WHERE external_id IS NOT NULL GROUP BY external_id HAVING count(*) > 1
    ) AS repeated
    WHERE policies_import_rows.external_id = repeated.external_id AND row > first_row
"""
_MARK_BOOKED = """
    UPDATE policies_import_rows SET
        is_booked = true,
        fault = fault | CASE WHEN
            (policy.holder, policy.product_id, policy.coverage_usd, policy.premium_usd, policy.starts_at,
             policy.expires_at, policy.trigger_price, policy.trigger_window_s)
            IS DISTINCT FROM
            (policies_import_rows.holder, policies_import_rows.product_id, policies_import_rows.coverage_usd,
            policies_import_rows.premium_usd, policies_import_rows.starts_at,
             policies_import_rows.expires_at, policies_import_rows.trigger_price,
             policies_import_rows.trigger_window_s)
            THEN %(bit)s ELSE 0 END
    FROM policies_policy AS policy
    WHERE policy.external_id = policies_import_rows.external_id AND fault = 0
"""
_LOCK_LIMITED = """
    SELECT id FROM policies_product
    WHERE exposure_usd_max IS NOT NULL AND id IN (SELECT product_id FROM policies_import_rows WHERE fault = 0)
    ORDER BY id FOR NO KEY UPDATE
"""
_MARK_OVER_LIMIT = """
    UPDATE policies_import_rows SET fault = fault | %(bit)s
    FROM (
        SELECT row, product_id, sum(coverage_usd) OVER (PARTITION BY product_id ORDER BY row) AS added_usd
        FROM policies_import_rows WHERE fault = 0 AND NOT is_booked AND product_id = ANY(%(limited)s)
    ) AS running
    JOIN policies_product AS product ON product.id = running.product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(coverage_usd), 0) AS usd FROM (
            SELECT coverage_usd FROM policies_exposure WHERE product_id = product.id
            UNION ALL SELECT coverage_usd FROM policies_exposuredelta WHERE product_id = product.id
            UNION ALL SELECT coverage_usd FROM policies_policy
                WHERE product_id = product.id AND status = 'scheduled'
        ) AS parts
    ) AS committed
    WHERE policies_import_rows.row = running.row AND committed.usd + running.added_usd >
    product.exposure_usd_max
"""

_TALLY = """
    SELECT count(*), count(*) FILTER (WHERE fault <> 0),
        count(*) FILTER (WHERE fault = 0 AND is_booked), count(*) FILTER (WHERE fault = 0 AND NOT is_booked),
        coalesce(sum(coverage_usd) FILTER (WHERE fault = 0 AND NOT is_booked), 0)
    FROM policies_import_rows
"""
_FAULTS = "SELECT row, fault FROM policies_import_rows WHERE fault <> 0 ORDER BY row LIMIT %(limit)s"
_SAMPLE = """
    SELECT row, coalesce(external_id, ''), coalesce(coverage_type || ' · ' || chain || ' · ' || stablecoin,
    ''),
        policies_import_rows.coverage_usd, policies_import_rows.premium_usd, starts_at, expires_at, fault,
        is_booked
    FROM policies_import_rows LEFT JOIN policies_product ON policies_product.id = product_id
    ORDER BY row LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the checks found."""

    rows: int
    bad: int
    already_there: int
    new: int
    new_usd: Decimal


def check_rows(*, now: datetime) -> Tally:
    """Mark the faults of every staged row: of the row itself, beside the file's others, and beside the
    book.
    """
    _run("DROP TABLE IF EXISTS policies_import_rows")
    _run(_CHECK, now=now)
    _run("ANALYZE policies_import_rows")
    _run(_MARK_REPEATED, bit=rule_bit(REPEATED))
    _run(_MARK_BOOKED, bit=rule_bit(TAKEN))
    # Locked until the transaction ends, so that sales and other imports of limited products take turns with
    # this one.
    if limited := [product_id for (product_id,) in _rows_of(_LOCK_LIMITED)]:
        _run(_MARK_OVER_LIMIT, limited=limited, bit=rule_bit(OVER_LIMIT))
    return Tally(*_rows_of(_TALLY)[0])


def faults_of_rows(*, limit: int) -> list[RowFault]:
    """The faults of the first bad rows, at most `limit`, in the order of the file."""
    found = _rows_of(_FAULTS, limit=limit)
    return [
        RowFault(row=row, column=rule.column, message=f"{rule.column} {rule.message}", remedy=rule.remedy)
        for row, fault in found
        for rule in ALL_RULES
        if fault & rule_bit(rule)
    ][:limit]


def sample_of_rows(*, limit: int) -> list[SampleRow]:
    """The file's first rows as they were understood."""
    return [
        SampleRow(
            row=row,
            external_id=external_id,
            product=product,
            coverage_usd=coverage_usd,
            premium_usd=premium_usd,
            starts_at=starts_at,
            expires_at=expires_at,
            verdict="bad" if fault else "already there" if is_booked else "new",
        )
        for row, external_id, product, coverage_usd, premium_usd, starts_at, expires_at, fault, is_booked in _rows_of(
            _SAMPLE, limit=limit
        )
    ]


def _run(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _rows_of(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()
