"""Books a sample book for a bench, by the door that a real one comes through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO

from django.db import connection

from policies.domain.sample import sample_lines
from policies.services.exposure import exposure_fold
from policies.services.intake import policies_import
from tests.benches.result import WrongAnswer

SEED = 1
FOLDS_MAX = 1_000


@contextmanager
def sample_file(policies: int, *, now: datetime, seed: int = SEED) -> Iterator[BinaryIO]:
    """The file that `manage.py make_sample_book` would write, open at its beginning; gone afterwards."""
    with tempfile.TemporaryFile() as file:
        for block in sample_lines(policies, seed=seed, now=now):
            file.write(block.encode())
        file.seek(0)
        yield file


def book_sample(policies: int, *, now: datetime) -> None:
    """Import `policies` sample policies, fold their exposure, and let the planner look at them."""
    with sample_file(policies, now=now) as file:
        report = policies_import(file, file_name="sample.csv", actor="bench", now=now)
    if report.added != policies:
        raise WrongAnswer(f"{report.added} of {policies} policies were imported: {report.faults[:3]}")
    fold_all(now=now)
    vacuum("policies_policy", "policies_exposure", "policies_exposuredelta")


def fold_all(*, now: datetime) -> None:
    """Fold until no delta is left."""
    for _ in range(FOLDS_MAX):
        if not exposure_fold(now=now):
            return
    raise WrongAnswer(f"deltas were left over after {FOLDS_MAX} folds")


def vacuum(*tables: str) -> None:
    """What autovacuum would have done by and by; impossible inside a transaction, then only the planner's part."""
    verb = "ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE"
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"{verb} {table}")
