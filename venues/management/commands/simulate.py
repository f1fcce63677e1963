"""`manage.py simulate polymarket` starts the practice exchange; it needs no database."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from venues.simulators.polymarket import server


class Command(BaseCommand):
    """Run a practice exchange in the foreground until SIGTERM."""

    help = "Run a practice exchange that speaks a venue's own wire (docs/practice-exchange.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the venue and the practice exchange's own options."""
        parser.add_argument("venue", choices=["polymarket"])
        server.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; a configuration that names the real venue is refused with its sentence."""
        if server.run(argparse.Namespace(**options)):
            raise CommandError("the practice exchange did not start")
