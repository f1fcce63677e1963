"""Importing a file of policies with every check against COPY of ready rows into the same table without any.

Ours is `policies_import` on the file that `manage.py make_sample_book` writes: read, checked by every rule, looked up
in the book, written with its exposure and committed. The baseline is one `COPY policies_policy FROM STDIN` of a file
that already holds the table's own columns (product numbers, triggers, statuses), committed: the same table with the
same indexes and constraints, and nothing else. Before every run the table is emptied by TRUNCATE, which gives it new
files, and a checkpoint leaves neither the other's pages to write. Both must leave the same rows. Wall time; CPU
of client and database is told beside it.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

from django.db import connection, transaction

from policies.domain import coverage
from policies.domain.catalogue import PRODUCTS_PER_COVERAGE
from policies.domain.intake import COLUMNS
from policies.selectors.exposure import exposure_by_product, exposure_scanned
from policies.selectors.products import product_key_of
from policies.services.intake import policies_import
from policies.services.staging import BLOCK_BYTES
from tests.benches.book import sample_file
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, backend_cpu, peak_rss_forget, peak_rss_mib, wall
from tonsurance.kernel.clock import utc_now

IMPORT = Goal(name="import against bare COPY, wall", at_most=2)
GOALS = (IMPORT,)
FULL = BenchScale(policies=1_000_000, rounds=5)
SMALL = BenchScale(policies=10_000, rounds=3)

TABLE_COLUMNS = (
    "external_id, holder, product_id, coverage_usd, premium_usd, starts_at, expires_at, trigger_price, "
    "trigger_window_s, status, source, created_at"
)
TERMS = (
    "external_id, holder, product_id, coverage_usd, premium_usd, starts_at, expires_at, trigger_price, "
    "trigger_window_s, status, created_at"
)
_EMPTY = "TRUNCATE policies_policy, policies_exposuredelta CASCADE"
_DIFFERENT = f"""
    SELECT count(*) FROM (
        (SELECT {TERMS} FROM policies_policy EXCEPT ALL SELECT {TERMS} FROM bench_copied)
        UNION ALL
        (SELECT {TERMS} FROM bench_copied EXCEPT ALL SELECT {TERMS} FROM policies_policy)
    ) AS different
"""


def run(scale: BenchScale) -> BenchResult:
    """Import and copy `policies` rows in turn."""
    now = utc_now()
    with sample_file(scale.policies, now=now) as file, tempfile.TemporaryFile() as ready:
        _write_ready(file, ready, now=now)
        peak_rss_forget()
        measured, in_cpu = _rounds(
            scale.rounds,
            ours=lambda: _import(file, policies=scale.policies, now=now),
            baseline=lambda: _copy(ready),
        )
        peak = peak_rss_mib()
        _check_same(file, ready, policies=scale.policies, now=now)
    per_row_us = 1e6 / scale.policies
    return BenchResult(
        ratios={IMPORT.name: measured.cost},
        figures=(
            Figure(name="import, wall", value=measured.ours_s, unit="s"),
            Figure(name="  bare COPY", value=measured.baseline_s, unit="s"),
            Figure(name="import, CPU of client and database", value=in_cpu.ours_s, unit="s"),
            Figure(name="  bare COPY", value=in_cpu.baseline_s, unit="s"),
            Figure(name="  ratio of CPU", value=in_cpu.cost, unit="times"),
            Figure(name="import, CPU per row", value=in_cpu.ours_s * per_row_us, unit="us"),
        ),
        notes=("both left the same rows, and the kept exposure equals the scan",),
        peak_rss_mib=peak,
    )


def _rounds(rounds: int, *, ours: Callable[[], None], baseline: Callable[[], None]) -> tuple[Paired, Paired]:
    """Each in turn into an empty table, on the wall's clock and in CPU; emptying is not timed."""
    connection.ensure_connection()
    clocks = (wall, backend_cpu())
    mine: list[list[float]] = []
    theirs: list[list[float]] = []
    for number in range(rounds):
        sides = [(baseline, theirs), (ours, mine)]
        for work, seconds in sides if number % 2 == 0 else reversed(sides):
            _empty()
            began = [clock() for clock in clocks]
            work()
            seconds.append([clock() - start for clock, start in zip(clocks, began, strict=True)])
    on_wall, in_cpu = (
        Paired(tuple(row[at] for row in mine), tuple(row[at] for row in theirs)) for at in range(len(clocks))
    )
    return on_wall, in_cpu


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
        cursor.execute("CHECKPOINT")


def _import(file: BinaryIO, *, policies: int, now: datetime) -> None:
    file.seek(0)
    report = policies_import(file, file_name="sample.csv", actor="bench", now=now)
    if (report.added, report.bad, report.committed) != (policies, 0, True):
        raise WrongAnswer(f"{report.added} of {policies} rows were imported: {report.faults[:3]}")


def _copy(ready: BinaryIO) -> None:
    ready.seek(0)
    statement = f"COPY policies_policy ({TABLE_COLUMNS}) FROM STDIN WITH (FORMAT csv, ENCODING 'UTF8')"
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
        while block := ready.read(BLOCK_BYTES):
            copy.write(block)


def _write_ready(file: BinaryIO, ready: BinaryIO, *, now: datetime) -> None:
    """The same policies in the table's own columns, worked out in Python and not by the import's SQL."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    for row in csv.DictReader(text, COLUMNS):
        if row["external_id"] == COLUMNS[0]:
            continue  # the heading
        key = product_key_of(
            coverage_type=row["coverage_type"], chain=row["chain"], stablecoin=row["stablecoin"]
        )
        trigger = (coverage.TRIGGER_PRICE_DEFAULT, coverage.TRIGGER_WINDOW_S_DEFAULT)
        price, window_s = trigger if key.number < PRODUCTS_PER_COVERAGE else ("", "")
        ready.write(
            f"{row['external_id']},{row['holder']},{key.number},{row['coverage_usd']},{row['premium_usd']},"
            f"{row['starts_at']},{row['expires_at']},{price},{window_s},active,bench,{now.isoformat()}\n".encode()
        )
    text.detach()


def _check_same(file: BinaryIO, ready: BinaryIO, *, policies: int, now: datetime) -> None:
    _empty()
    _copy(ready)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_copied AS SELECT * FROM policies_policy")
        _empty()
        _import(file, policies=policies, now=now)
        cursor.execute(_DIFFERENT)
        different = cursor.fetchone()[0]
        cursor.execute("DROP TABLE bench_copied")
    if different:
        raise WrongAnswer(f"{different} rows differ between the import and the copy")
    if exposure_by_product() != exposure_scanned():
        raise WrongAnswer("the exposure that the import kept is not the exposure of its policies")
