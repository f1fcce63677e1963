"""`manage.py doctor`: asks every check and says what to do; exits 0 without a fault, 1 with one, 2 when it cannot run.

It changes nothing: PostgreSQL itself refuses its checks every write. The page Health shows the same.
"""

from __future__ import annotations

import json
import logging
import sys
from itertools import groupby
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.text import Text

from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, Level
from tonsurance.plumbing.checkups import Answer, Diagnosis, checks_all, checkup_run

EXIT_FAULT, EXIT_BROKEN = 1, 2
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.FAULT: "bold red"}


class Command(BaseCommand):
    help = "Check settings, keys, clocks, database, broker, workers, venues and the book; say what to do about faults."
    # Django's own checks would refuse to start just when the doctor is needed.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(check.name for check in checks_all())
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=f"ask these only: {names}")
        parser.add_argument("--quick", action="store_true", help="do not ask any venue")
        parser.add_argument("--json", action="store_true", help="one JSON object for machines")

    def handle(self, *_args: Any, **options: Any) -> None:
        # Every retry of a read is a warning in the log; here the finding says it once.
        logging.disable(logging.WARNING)
        try:
            diagnosis = checkup_run(only=options["only"], is_quick=options["quick"])
        except Refused as refusal:
            raise CommandError(refusal.message, returncode=EXIT_BROKEN) from refusal
        except Exception as error:
            raise CommandError(
                f"the doctor itself could not run: {type(error).__name__}: {error}", returncode=EXIT_BROKEN
            ) from error
        finally:
            logging.disable(logging.NOTSET)
        if options["json"]:
            self.stdout.write(json.dumps(diagnosis.as_json(), indent=2))
        else:
            _print(diagnosis, Console(file=cast(Any, self.stdout)._out, highlight=False, soft_wrap=True))
        if diagnosis.level is Level.FAULT:
            sys.exit(EXIT_FAULT)


def _print(diagnosis: Diagnosis, console: Console) -> None:
    """Group by group, faults before what is well."""
    for group, answers in groupby(diagnosis.answers, key=lambda answer: answer.group):
        console.print(Text(group, style="bold"))
        for answer in answers:
            _print_answer(answer, console)
    faults, warnings = diagnosis.count(Level.FAULT), diagnosis.count(Level.WARNING)
    fine = len(diagnosis.findings) - faults - warnings
    console.print(
        Text(
            f"{_counted(faults, 'fault')}, {_counted(warnings, 'warning')}, {fine} fine,"
            f" in {diagnosis.took_ms / 1000:.1f} s",
            style=_STYLES[diagnosis.level],
        )
    )


def _print_answer(answer: Answer, console: Console) -> None:
    if answer.skipped:
        console.print(Text(f"  -        {answer.check}: {answer.skipped}", style="dim"))
    for finding in answer.findings:
        _print_finding(finding, console)


def _print_finding(finding: Finding, console: Console) -> None:
    line = Text(f"  {finding.level.value:<8} ", style=_STYLES[finding.level])
    line.append(f"{finding.sentence}  ", style="default")
    line.append(f"[{finding.code}]", style="dim")
    console.print(line)
    if finding.remedy:
        console.print(Text(f"           {finding.remedy}", style="cyan"))
    if finding.runbook:
        console.print(Text(f"           docs/runbooks/{finding.runbook}.md", style="dim"))


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
