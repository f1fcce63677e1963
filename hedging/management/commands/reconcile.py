"""`manage.py reconcile VENUE`: compares the book with what the venue says and exits 1 on a difference."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hedging.models import Discrepancy
from hedging.services.reconciliation import reconcile_venue
from tonsurance.kernel.clock import utc_now
from venues.services.venues import venue_codes_with_gateway


class Command(BaseCommand):
    help = "Compare orders, fills and positions with a venue's own reports, since the first order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("venue", choices=sorted(venue_codes_with_gateway()))

    def handle(self, *_args: Any, **options: Any) -> None:
        run = reconcile_venue(options["venue"], now=utc_now(), window=None)
        if run.error:
            raise CommandError(f"{options['venue']} gave no answer: {run.error}")
        for row in Discrepancy.objects.filter(venue_id=options["venue"], state=Discrepancy.State.OPEN)[:50]:
            self.stderr.write(f"{row.kind}  {row.subject}: ours {row.expected}; theirs {row.actual}")
        counts = (
            f"{run.orders_compared} orders, {run.fills_compared} fills,"
            f" {run.positions_compared} positions compared"
        )
        if run.differences:
            raise CommandError(f"{counts}: {run.differences} differences")
        self.stdout.write(f"{counts}: equal")
