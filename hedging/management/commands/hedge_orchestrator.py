"""`manage.py hedge_orchestrator`: the founding document's loop, once or every five minutes, for real or dry."""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hedging.models import Cycle, CycleLeg, CycleTarget
from hedging.selectors.progress import Progress, cycle_progress
from hedging.services.config import config_override, config_read
from hedging.services.cycles import cycle_run
from hedging.services.executor import intents_place, portions_of
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.plumbing.bells import ring

RINGS_MAX = 4


class Command(BaseCommand):
    help = "Run the hedge loop: read exposure, decide, open intents. Without --once it repeats until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One cycle, then exit.")
        parser.add_argument("--dry-run", action="store_true", help="Decide and record, open no intents.")
        parser.add_argument(
            "--config", help="JSON file of settings (camelCase keys) that hold for this process only."
        )
        parser.add_argument(
            "--every", type=int, default=0, help="Seconds between cycles (default: cycleEverySeconds)."
        )
        parser.add_argument(
            "--via-queue", action="store_true", help="Ring Celery's bell instead of running it here."
        )
        parser.add_argument(
            "--wait", type=int, default=0, help="Wait so many seconds until the cycle's orders are settled."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["config"]:
            self._override(Path(options["config"]))
        if options["via_queue"]:
            self._ring_and_wait(options["wait"])
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        while not stop.is_set():
            self._one(dry_run=options["dry_run"])
            if options["once"]:
                break
            stop.wait(options["every"] or config_read().cycle_every_seconds)

    def _override(self, path: Path) -> None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            config_override(values)
        except (OSError, ValueError) as error:
            raise CommandError(
                f'--config {path}: {error}; give a JSON object such as {{"maxSlippageBps": 100}}'
            ) from error
        except Refused as error:
            raise CommandError(f"--config {path}: {error}") from error

    def _one(self, *, dry_run: bool) -> None:
        result = cycle_run(cause="dry run" if dry_run else "operator", dry_run=dry_run)
        if result is None:
            self.stdout.write("another cycle is running; it will see the same book")
            return
        self._explain(result.cycle_id)
        for venue_code, portion in portions_of(result.intents):
            for placed in intents_place(venue_code, portion, now=utc_now()).values():
                self.stdout.write(f"  {placed.word}: {placed.sentence}")

    def _explain(self, cycle_id: int) -> None:
        cycle = Cycle.objects.get(pk=cycle_id)
        self.stdout.write(
            f"cycle {cycle.pk} ({cycle.get_mode_display()}, {cycle.environment}): {cycle.products_count} products,"
            f" ${cycle.coverage_usd:,.2f} cover, ${cycle.required_usd:,.2f} to hedge, ${cycle.planned_usd:,.2f} planned"
        )
        for target in CycleTarget.objects.filter(cycle=cycle).select_related("instrument"):
            self.stdout.write(
                f"  {target.side} {target.size.normalize():f} of {target.instrument}"
                f" at {target.price_average.normalize():f} = ${target.notional_usd:,.2f}: {target.sentence}"
            )
        reasons: dict[str, int] = {}
        for reason in CycleLeg.objects.filter(cycle=cycle, unfilled_usd__gt=0).values_list(
            "reason", flat=True
        ):
            reasons[reason] = reasons.get(reason, 0) + 1
        for reason, legs in sorted(reasons.items(), key=lambda item: -item[1]):
            self.stdout.write(f"  {legs} legs left unhedged: {reason.lower().replace('_', ' ')}")

    def _ring_and_wait(self, wait_s: int) -> None:
        deadline = time.monotonic() + wait_s
        progress = None
        for _ in range(RINGS_MAX):
            rang_at = utc_now()
            if not ring("hedging.orchestrate", "operator"):
                raise CommandError(
                    "the bell was lost: is Redis up, and does a worker serve the queue `orchestrate`?"
                )
            if not wait_s:
                self.stdout.write("the bell is rung")
                return
            progress = self._wait(rang_at, deadline)
            # A cycle that found orders of an earlier one at work decided nothing about their markets: ask again.
            if not progress.is_settled or progress.is_failed or not progress.left_in_flight:
                break
        if progress is None or not progress.is_settled or progress.is_failed:
            raise CommandError(
                f"not settled within {wait_s} s: {progress.sentence if progress else 'no cycle'}"
            )
        self.stdout.write(progress.sentence)

    def _wait(self, rang_at: datetime, deadline: float) -> Progress:
        """Poll until the cycle that began after `rang_at` is done and the whole book is quiet, or time is up."""
        progress = cycle_progress(since=rang_at)
        while time.monotonic() < deadline and not progress.is_settled:
            time.sleep(0.2)
            progress = cycle_progress(since=rang_at)
        return progress
