"""`manage.py run_engine`: places and resolves orders straight from PostgreSQL; Redis and beat are conveniences."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hedging.services.engine import Engine
from venues.services.venues import venue_lines_preload


class Command(BaseCommand):
    help = (
        "Dispatch due intents, look up orders in doubt, follow settlements. Needs no Redis. Stops on SIGTERM."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--interval", type=float, default=1.0, help="Seconds between looks at the table (default 1)."
        )
        parser.add_argument(
            "--max-ticks", type=int, default=0, help="Stop after so many looks; 0 = until told to stop."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        venue_lines_preload()
        engine = Engine(interval_s=options["interval"])
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: engine.stop())
        engine.run(ticks_max=options["max_ticks"])
