"""`manage.py wallet status|approve|wrap|refresh`: what our wallet holds and allows, and its own acts, after a yes."""

from __future__ import annotations

import getpass
import time
from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import TonsuranceError
from venues.domain.accounts import WALLET_KINDS, WalletAct
from venues.domain.gateway import LookupFailed
from venues.models import WalletJob
from venues.selectors.accounts import wallet_jobs_live
from venues.services.accounts import account_read
from venues.services.wallets import (
    wallet_acts_missing,
    wallet_acts_wrap,
    wallet_balance_refresh,
    wallet_jobs_advance,
    wallet_jobs_open,
)

WAIT_S = 300
POLL_S = 0.5


class Command(BaseCommand):
    """Look at the wallet, or let it act."""

    help = (
        "status: balances, approvals and standing. approve: grant what trading and redeeming need. "
        "wrap AMOUNT: turn USDC.e into the venue's money. refresh: let the venue read the wallet again. "
        "What is sent is shown and asked first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["status", "approve", "wrap", "refresh"])
        parser.add_argument("amount", nargs="?", help="US dollars, for wrap")
        parser.add_argument("--venue", default="polymarket")
        parser.add_argument("--reason", default="", help="kept beside every act; asked for when left out")
        parser.add_argument("--yes", action="store_true", help="send without asking")

    def handle(self, *args: Any, verb: str, venue: str, **options: Any) -> None:
        try:
            if verb == "status":
                self._status(venue)
            elif verb == "refresh":
                wallet_balance_refresh(venue)
                self._status(venue)
            else:
                is_wrap = verb == "wrap"
                acts = self._wrap(venue, options["amount"]) if is_wrap else wallet_acts_missing(venue)
                self._act(venue, acts, reason=options["reason"], is_sure=options["yes"])
        except (TonsuranceError, LookupFailed) as error:
            raise CommandError(str(error)) from error

    def _wrap(self, venue: str, amount: str | None) -> list[WalletAct]:
        try:
            usd = Decimal(str(amount))
        except InvalidOperation as error:
            raise CommandError("amount: say how many dollars, for instance `wallet wrap 500`") from error
        return wallet_acts_wrap(venue, usd)

    def _status(self, venue: str) -> None:
        standing = account_read(venue, now=utc_now())
        kind = WALLET_KINDS.get(standing.signature_type, str(standing.signature_type))
        self.stdout.write(f"Wallet    {standing.wallet} ({kind}); signed by {standing.signer}")
        held = ", ".join(f"{amount} {name}" for name, amount in standing.balances.items()) or "not read"
        seen = "not read" if standing.seen_usd is None else f"{standing.seen_usd.normalize():f}"
        self.stdout.write(f"On chain  {held}")
        self.stdout.write(f"At venue  {seen} pUSD")
        self.stdout.write(f"Place     {standing.place or 'not read'}")
        for row in standing.approvals:
            mark = "ok     " if row["is_granted"] else "MISSING"
            spender = f"{row['spender']} {row['spender_address']}"
            self.stdout.write(f"{mark}   {row['token']} for {spender}: {row['have']} ({row['purpose']})")
        for job in wallet_jobs_live(venue):
            self.stdout.write(f"Under way {job.title}: {job.get_state_display()} {job.outcome}")
        for line in standing.unread:
            self.stdout.write(f"Not read  {line}")
        for fault in standing.faults:
            self.stdout.write(self.style.WARNING(f"Do this   {fault}"))
        if not standing.faults and not standing.unread:
            self.stdout.write(self.style.SUCCESS("In order"))

    def _act(self, venue: str, acts: list[WalletAct], *, reason: str, is_sure: bool) -> None:
        if not acts:
            self.stdout.write(self.style.SUCCESS("Nothing is missing"))
            return
        for act in acts:
            self.stdout.write(act.title)
            for line in act.lines:
                self.stdout.write(f"    {line}")
        if (
            not is_sure
            and input(f"Send {len(acts)} transactions from the wallet? Type yes: ").strip() != "yes"
        ):
            self.stdout.write("Nothing was sent")
            return
        why = reason or ("by command" if is_sure else input("Why? "))
        jobs = wallet_jobs_open(venue, acts, actor=getpass.getuser(), reason=why, now=utc_now())
        self._carry_out(venue, [job.pk for job in jobs])

    def _carry_out(self, venue: str, job_ids: list[Any]) -> None:
        """Advance until these jobs are over; the engine does the same when this command is interrupted."""
        deadline, said = time.monotonic() + WAIT_S, ""
        while time.monotonic() < deadline:
            now_said = wallet_jobs_advance(venue, now=utc_now())
            if now_said and now_said != said:
                self.stdout.write(now_said)
            said = now_said
            if not WalletJob.objects.filter(
                pk__in=job_ids, state__in=["WAITING", "PREPARED", "SENDING", "UNKNOWN"]
            ).exists():
                break
            time.sleep(POLL_S)
        ends = WalletJob.objects.filter(pk__in=job_ids)
        done = ends.filter(state="DONE").count()
        self.stdout.write(f"{done} of {len(job_ids)} done")
        for job in ends.exclude(state="DONE"):
            self.stdout.write(self.style.WARNING(f"{job.title}: {job.get_state_display()}; {job.outcome}"))
        if done < len(job_ids):
            raise CommandError("not everything was done; `manage.py wallet status` says what is under way")
