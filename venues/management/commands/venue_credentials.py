"""`manage.py venue_credentials polymarket` prints the account's API credentials as lines for an environment file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tonsurance.kernel.errors import Refused
from venues.services.credentials import venue_credentials_derive


class Command(BaseCommand):
    """Print secrets: send the output to a file that only you can read."""

    help = "Derive the venue's API credentials from the private key in the settings; prints NAME=value lines."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the venue's code."""
        parser.add_argument("venue")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each variable."""
        try:
            found = venue_credentials_derive(options["venue"])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        for name, value in found.items():
            self.stdout.write(f"{name}={value}")
