"""`manage.py verify`: asks the standing invariants and exits 1 when one does not hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.services.verification import invariants_count, verify_book


class Command(BaseCommand):
    help = "Check the standing invariants of exposure, orders, fills, positions and attribution."

    def handle(self, *_args: Any, **_options: Any) -> None:
        violations = verify_book()
        for violation in violations:
            self.stderr.write(f"VIOLATED  {violation.invariant}: {violation.detail}")
        if violations:
            raise CommandError(f"{len(violations)} violations of {invariants_count()} invariants")
        self.stdout.write(f"{invariants_count()} invariants hold")
