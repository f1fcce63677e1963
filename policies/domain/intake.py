"""What an import file looks like, and how its faults are told: row, column, what is wrong, what to do."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches

from tonsurance.kernel.errors import Refused

COLUMNS = (
    "external_id",
    "holder",
    "coverage_type",
    "chain",
    "stablecoin",
    "coverage_usd",
    "premium_usd",
    "starts_at",
    "expires_at",
    "trigger_price",
    "trigger_window_s",
)
OPTIONAL_COLUMNS = frozenset({"trigger_price", "trigger_window_s"})
ERRORS_TOLD_MAX = 1000
SAMPLE_ROWS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFault:
    """One fault. `row` counts as a spreadsheet does: the heading is row 1."""

    row: int
    column: str
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleRow:
    """One of the file's first rows as it was understood, with what becomes of it."""

    row: int
    external_id: str
    product: str
    coverage_usd: Decimal | None
    premium_usd: Decimal | None
    starts_at: datetime | None
    expires_at: datetime | None
    verdict: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What became of a file. `faults` holds at most the first 1,000; `bad` counts rows.

    `committed` is False for a dry run and for a file refused because of bad rows; `added` then says what
    would be added.
    """

    rows: int
    added: int
    already_there: int
    bad: int
    coverage_usd_added: Decimal
    committed: bool
    faults: tuple[RowFault, ...]
    sample: tuple[SampleRow, ...] = ()
    import_id: int | None = None


def header_columns(line: bytes) -> list[str]:
    """The column names of a file's first line, in its order. Raises Refused when they are not what we
    need.
    """
    try:
        names = next(csv.reader(io.StringIO(line.decode("utf-8-sig"))), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(
            "file: its first line cannot be read as comma-separated names",
            field="file",
            remedy=f"save the file as CSV in UTF-8 with the heading {','.join(COLUMNS)}",
        ) from error
    names = [name.strip() for name in names]
    missing = [name for name in COLUMNS if name not in names and name not in OPTIONAL_COLUMNS]
    unknown = [name for name in names if name not in COLUMNS]
    if len(names) == 1 and missing:
        raise Refused(
            "file: its heading has one column only",
            field="file",
            remedy=f"separate columns by commas, not by semicolons or tabs: {','.join(COLUMNS)}",
        )
    if unknown:
        near = get_close_matches(unknown[0], COLUMNS, n=1, cutoff=0.5)
        raise Refused(
            f"file: the heading has an unknown column {unknown[0]!r}",
            field="file",
            remedy=f"did you mean {near[0]}?" if near else f"known columns are {', '.join(COLUMNS)}",
        )
    if missing:
        raise Refused(
            f"file: the heading lacks the column {missing[0]}",
            field="file",
            remedy=f"add the columns {', '.join(missing)}",
        )
    if len(set(names)) != len(names):
        raise Refused(
            "file: a column stands in the heading twice", field="file", remedy="name every column once"
        )
    return names
