"""Prints the status report: the founding document's lines with the database's numbers, and the truth beneath."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hedging.domain.report import render_status_report
from hedging.selectors.report import book_figures, report_figures
from hedging.services.config import config_read


class Command(BaseCommand):
    """`manage.py hedge_report [--json]`."""

    help = "Print the hedge status report from the database; docs/metrics.md defines each figure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="the same figures for machines, decimals as strings"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        book = book_figures(config_read().venue_shares)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(book), default=_spelt, indent=2))
        else:
            self.stdout.write(render_status_report(report_figures(book)))


def _spelt(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no figure of the report")
