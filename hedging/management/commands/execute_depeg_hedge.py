"""`manage.py execute_depeg_hedge EXTERNAL_ID`: the founding document's call, for one policy, now."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hedging.domain.sizing import hedge_outcome
from hedging.services.policy_hedges import execute_depeg_hedge
from policies.selectors.policies import policy_get
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import TonsuranceError


class Command(BaseCommand):
    help = (
        "Hedge one depeg policy on its prediction market with the whole ratio, and wait until it has settled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("external_id", help="The policy's external id.")
        parser.add_argument(
            "--hedge-ratio",
            default="",
            help="Share of the cover, for instance 0.20 (default: the product's).",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            policy = policy_get(options["external_id"])
            ratio = Decimal(options["hedge_ratio"]) if options["hedge_ratio"] else None
            done = execute_depeg_hedge(policy.pk, hedge_ratio=ratio, actor="operator", now=utc_now())
        except InvalidOperation as error:
            raise CommandError("--hedge-ratio: give a number such as 0.20") from error
        except TonsuranceError as error:
            raise CommandError(str(error)) from error
        if done is None:
            self.stdout.write("No suitable market found")
            return
        figures = hedge_outcome(
            coverage_usd=policy.coverage_usd, size=done.shares_bought, cost_usd=done.total_cost_usd
        )
        self.stdout.write(
            f"Hedge executed: {done.shares_bought:.2f} shares at ${done.avg_price:.4f} = ${done.total_cost_usd:.2f}"
        )
        self.stdout.write(
            f"If the event happens: pays ${figures.payout_usd:,.2f}, net vault cost"
            f" ${figures.vault_payout_net_of_hedge_usd:,.2f}, economic loss"
            f" ${figures.economic_loss_in_event_usd:,.2f} (the stake is spent either way)"
        )
        self.stdout.write(
            f"If not: economic loss ${figures.economic_loss_otherwise_usd:,.2f}. {done.sentence}"
        )
