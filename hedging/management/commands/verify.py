"""`manage.py verify`: asks the standing invariants and exits 1 when one does not hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hedging.selectors.diagnosis import VERIFIED_SOUND, VERIFIED_VIOLATED
from hedging.services.verification import invariants_count, verify_book
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.slots import slot_claim


class Command(BaseCommand):
    help = "Check the standing invariants of exposure, orders, fills, positions and attribution."

    def handle(self, *_args: Any, **_options: Any) -> None:
        violations = verify_book()
        # When the book was last found sound, or not, is what the doctor tells.
        slot_claim(VERIFIED_VIOLATED if violations else VERIFIED_SOUND, every_s=1, now=utc_now())
        for violation in violations:
            self.stderr.write(f"VIOLATED  {violation.invariant}: {violation.detail}")
        if violations:
            raise CommandError(f"{len(violations)} violations of {invariants_count()} invariants")
        self.stdout.write(f"{invariants_count()} invariants hold")
