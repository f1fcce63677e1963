"""manage.py make_sample_book: writes an invented book of policies as an import file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from policies.domain.sample import CHUNK, POLICIES_MAX, sample_lines
from tonsurance.kernel.clock import utc_now


class Command(BaseCommand):
    help = "Write an invented book of policies, all in force, as a CSV file for import_policies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policies", type=int, default=5_000, help="how many (default 5000)")
        parser.add_argument("--output", type=Path, required=True, help="the CSV file to write")
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed on the same day gives the same book"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        count, output = options["policies"], options["output"]
        if not 0 < count <= POLICIES_MAX:
            raise CommandError(f"--policies {count}: give a number from 1 to {POLICIES_MAX}")
        try:
            with output.open("w", encoding="utf-8", newline="") as file, Progress(transient=True) as bar:
                task = bar.add_task(f"{output.name}", total=count)
                for block in sample_lines(count, seed=options["seed"], now=utc_now()):
                    file.write(block)
                    bar.advance(task, CHUNK)
        except OSError as error:
            raise CommandError(
                f"--output {output}: {error.strerror}; choose a file that can be written"
            ) from error
        self.stdout.write(f"{count:,} policies in {output}")
