"""manage.py import_policies FILE: brings a file of policies into the book, all or nothing, with progress
shown.
"""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from policies.domain.intake import COLUMNS, ImportReport
from policies.services.exposure import exposure_fold
from policies.services.intake import policies_import
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Conflict, Refused
from tonsurance.plumbing.bells import ring

FAULTS_SHOWN = 20


class Command(BaseCommand):
    help = f"Import policies from a CSV file (UTF-8) with the columns {', '.join(COLUMNS)}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--skip-bad", action="store_true", help="import the good rows of a file with bad ones"
        )
        parser.add_argument("--dry-run", action="store_true", help="check the file and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file, _bar() as bar:
                tasks: dict[str, TaskID] = {}

                def show(phase: str, done: int, total: int) -> None:
                    if phase not in tasks:
                        tasks[phase] = bar.add_task(phase, total=total)
                    bar.update(tasks[phase], completed=done, total=total)

                report = policies_import(
                    file,
                    file_name=path.name,
                    actor=f"shell:{getpass.getuser()}",
                    now=utc_now(),
                    skip_bad=options["skip_bad"],
                    dry_run=options["dry_run"],
                    progress=show,
                )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}; give the path of a CSV file") from error
        except (Refused, Conflict) as error:
            raise CommandError(f"{error.message}\n  {error.remedy}") from error
        self._tell(report, dry_run=options["dry_run"])
        if report.committed and report.added:
            exposure_fold(now=utc_now())
            ring("hedging.orchestrate", "import")
        if report.bad and not report.committed:
            raise CommandError("nothing was imported; correct the rows above or use --skip-bad")

    def _tell(self, report: ImportReport, *, dry_run: bool) -> None:
        if report.faults:
            table = Table("row", "column", "fault", "remedy", title=f"{report.bad:,} bad rows")
            for fault in report.faults[:FAULTS_SHOWN]:
                table.add_row(str(fault.row), fault.column, fault.message, fault.remedy)
            Console(file=self.stdout, width=140).print(table)  # type: ignore[arg-type]
            if len(report.faults) > FAULTS_SHOWN:
                self.stdout.write(f"… and {report.bad:,} bad rows in all")
        verb = "imported" if report.committed else "would be imported" if dry_run else "could be imported"
        self.stdout.write(
            f"{report.rows:,} rows: {report.added:,} {verb} (${report.coverage_usd_added:,.2f} of coverage), "
            f"{report.already_there:,} already there, {report.bad:,} bad"
        )


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        transient=True,
    )
