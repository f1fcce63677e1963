"""`manage.py find_markets`: search the venue for markets to hedge with, and propose them; a person approves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hedging.services.discovery import Found, markets_search
from policies.domain.catalogue import CoverageType
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import TonsuranceError


class Command(BaseCommand):
    help = (
        "Search Polymarket for markets on the insured events and propose mappings. Nothing is traded through "
        "a proposal before a person has approved it in the back office."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--coverage",
            nargs="+",
            choices=[kind.value for kind in CoverageType],
            default=[kind.value for kind in CoverageType],
            help="Coverage types to search for (default: all).",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be proposed; write nothing."
        )
        parser.add_argument(
            "--all", action="store_true", help="Also list markets that are no hedge, with why."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        kinds = [CoverageType(word) for word in options["coverage"]]
        try:
            search = markets_search(now=utc_now(), coverage=kinds, is_dry=options["dry_run"])
        except TonsuranceError as error:
            raise CommandError(str(error)) from error
        for kind in kinds:
            self._print(kind, [item for item in search.found if item.finding.coverage_type is kind], options)
        made = search.proposals
        done = (
            "Dry run: nothing was written."
            if options["dry_run"]
            else f"{len(made.created)} proposed, {len(made.renewed)} worded anew, {made.unchanged} known already."
        )
        self.stdout.write(done)
        if search.failed:
            raise CommandError(
                "; ".join(f"{kind}: no answer from the venue ({why})" for kind, why in search.failed.items())
            )

    def _print(self, kind: CoverageType, items: list[Found], options: dict[str, Any]) -> None:
        hedges = [item for item in items if item.finding.products]
        self.stdout.write(f"{kind}: {len(hedges)} of {len(items)} markets found could hedge it")
        for item in hedges:
            finding = item.finding
            self.stdout.write(f"  {finding.listing.question}  [{finding.listing.condition_id}]")
            self.stdout.write(
                f"    buy {finding.outcome.label}: {finding.pays_on}; {finding.grade}, basis "
                f"{finding.basis_probability}, {len(finding.products)} products, by {item.found_by}"
            )
            for reason in finding.reasons:
                self.stdout.write(f"    - {reason}")
        for item in items if options["all"] else []:
            if not item.finding.products:
                self.stdout.write(f"  no hedge: {item.finding.listing.question}: {item.finding.reasons[0]}")
