"""Brings a file of policies into the book: all rows or none, unless bad rows may be skipped.

COPY into a staging table, then one INSERT .. SELECT that checks, books the policies and counts their exposure. Only
when a row is not good and new is that undone, so that set by set it can be said which row breaks which rule; the
rows undone are space that the corrected file takes again. What happened to an imported policy first is said once, by
its PolicyImport, and not by a million equal events. Importing the same file twice adds nothing the second time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

import psycopg
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, IntegrityError, connection, transaction

from policies.domain.intake import ERRORS_TOLD_MAX, SAMPLE_ROWS, ImportReport, RowFault, header_columns
from policies.models import PolicyImport
from policies.services.rows import (
    NotClean,
    Tally,
    check_rows,
    faults_of_rows,
    sample_of_rows,
    write_clean_rows,
    write_new_rows,
)
from policies.services.staging import BLOCK_BYTES, FIRST_ROW, Progress, stage_carefully, stage_quickly
from tonsurance.kernel.errors import Conflict, Refused
from tonsurance.plumbing.statistics import table_analyze

HEADING_BYTES_MAX = 64 * 1024
UPLOAD_BYTES_MAX = 64 * 1024 * 1024
# Imports take turns: two files with the same rows at once would otherwise fail in the middle instead of at
# the end.
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('policies.import'))"


def policies_import(
    file: BinaryIO,
    *,
    file_name: str,
    actor: str,
    now: datetime,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a CSV file (UTF-8, columns of domain/intake.py, seekable). Without `skip_bad`, one bad row
    refuses all.

    `progress(phase, done, total)` is called in the phases reading (bytes), checking and writing (rows).
    Raises Refused for a file that is no such table, Conflict when a sale took one of its ids meanwhile;
    nothing is changed then.
    """
    with transaction.atomic():
        record = PolicyImport.objects.create(
            file_name=file_name[:200],
            file_sha256=_sha256(file),
            status=PolicyImport.Status.IMPORTED,
            skip_bad=skip_bad,
            actor=actor,
            created_at=now,
            imported_at=now,
        )
        return _import(file, record=record, dry_run=dry_run, progress=progress or _silent)


def import_preview(content: bytes, *, file_name: str, actor: str, now: datetime) -> PolicyImport:
    """Check an uploaded file without importing it, and keep it for `import_confirm`. Raises Refused."""
    if len(content) > UPLOAD_BYTES_MAX:
        raise Refused(
            f"file: {len(content)} bytes are more than {UPLOAD_BYTES_MAX}",
            code="too_long",
            field="file",
            remedy="split the file, or use manage.py import_policies",
        )
    report = policies_import(
        io.BytesIO(content), file_name=file_name, actor=actor, now=now, skip_bad=True, dry_run=True
    )
    return PolicyImport.objects.create(
        file_name=file_name[:200],
        file_sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        status=PolicyImport.Status.PREVIEWED,
        report=_plain(report),
        actor=actor,
        created_at=now,
    )


def import_confirm(import_id: int, *, skip_bad: bool, actor: str, now: datetime) -> ImportReport:
    """Import a previewed file. Raises Refused when it is not waiting, and as `policies_import` does."""
    with transaction.atomic():
        record = _lock_previewed(import_id)
        record.status, record.imported_at = PolicyImport.Status.IMPORTED, now
        record.skip_bad, record.actor = skip_bad, actor
        content, record.content = bytes(record.content or b""), None
        record.save()
        return _import(io.BytesIO(content), record=record, dry_run=False, progress=_silent)


def import_discard(import_id: int) -> None:
    """Forget the content of a previewed file. Raises Refused when it is not waiting."""
    with transaction.atomic():
        record = _lock_previewed(import_id)
        record.status, record.content = PolicyImport.Status.DISCARDED, None
        record.save()


def _import(file: BinaryIO, *, record: PolicyImport, dry_run: bool, progress: Progress) -> ImportReport:
    now = record.imported_at
    assert now is not None
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS)
    write = _Write(source=f"import:{record.pk}", now=now, progress=progress)
    malformed, tally, is_written = _stage_and_check(file, write=write, dry_run=dry_run)
    faults = sorted([*malformed, *faults_of_rows(limit=ERRORS_TOLD_MAX)], key=lambda fault: fault.row)
    bad = tally.bad + len(malformed)
    report = ImportReport(
        rows=tally.rows + len(malformed),
        added=tally.new,
        already_there=tally.already_there,
        bad=bad,
        coverage_usd_added=tally.new_usd,
        committed=not dry_run and (bad == 0 or record.skip_bad),
        faults=tuple(faults[:ERRORS_TOLD_MAX]),
        sample=tuple(sample_of_rows(last=FIRST_ROW + SAMPLE_ROWS - 1)),
    )
    if not report.committed:
        transaction.set_rollback(True)
        return report
    if not is_written:
        _write_new(tally, write=write)
    report = replace(report, import_id=record.pk)
    record.report = _plain(report)
    record.save(update_fields=["report"])
    transaction.on_commit(lambda: table_analyze("policies_policy", grown_by=report.added))
    return report


@dataclass(frozen=True, kw_only=True, slots=True)
class _Write:
    """What every written row has in common."""

    source: str
    now: datetime
    progress: Progress

    def tell(self, done: int, total: int) -> None:
        """Progress in rows written."""
        self.progress("writing", done, total)


def _stage_and_check(file: BinaryIO, *, write: _Write, dry_run: bool) -> tuple[list[RowFault], Tally, bool]:
    """The rows that cannot be read, what the checks say of the others, and whether these are written already."""
    bytes_total = _size(file)
    columns = header_columns(file.readline(HEADING_BYTES_MAX))
    start = file.tell()
    malformed: list[RowFault] = []
    try:
        with transaction.atomic():
            stage_quickly(file, columns=columns, bytes_total=bytes_total, progress=write.progress)
            if not dry_run and (tally := _write_clean(write)):
                return [], tally, True
            write.progress("checking", 0, 1)
            tally = check_rows(now=write.now)
    except (psycopg.DataError, DataError):
        file.seek(start)
        malformed = stage_carefully(file, columns=columns, bytes_total=bytes_total, progress=write.progress)
        write.progress("checking", 0, 1)
        tally = check_rows(now=write.now)
    write.progress("checking", 1, 1)
    return malformed, tally, False


def _write_clean(write: _Write) -> Tally | None:
    """Book all staged rows at once; None, and nothing booked, when one of them is not good and new."""
    try:
        with transaction.atomic():
            return write_clean_rows(source=write.source, now=write.now, progress=write.tell)
    except (NotClean, IntegrityError):
        return None


def _write_new(tally: Tally, *, write: _Write) -> None:
    try:
        write_new_rows(tally, source=write.source, now=write.now, progress=write.tell)
    except IntegrityError as error:
        raise Conflict(
            "file: one of its policies was sold while it was being imported",
            field="file",
            remedy="import the file again",
        ) from error


def _lock_previewed(import_id: int) -> PolicyImport:
    record = PolicyImport.objects.select_for_update().filter(pk=import_id).first()
    if record is None or record.status != PolicyImport.Status.PREVIEWED:
        raise Refused(
            f"import: import {import_id} is not waiting for a confirmation",
            code="wrong_status",
            field="import",
            remedy="upload the file again",
        )
    return record


def _plain(report: ImportReport) -> Any:
    return json.loads(json.dumps(asdict(report), cls=DjangoJSONEncoder))


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _size(file: BinaryIO) -> int:
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    return end


def _silent(_phase: str, _done: int, _total: int) -> None:
    return None
