"""Whether our account may trade at a venue: standing, wallet, key, approvals, and the contracts that we sign for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, fault, ok, warning
from venues.domain.accounts import WALLET_KINDS, AccountReport
from venues.registry import signing_for, wallet_for
from venues.selectors.accounts import account_standing, wallet_jobs_live
from venues.services.diagnosis.line import not_asked

if TYPE_CHECKING:
    from venues.models import AccountStanding

SEEN_DIFFERS_USD = Decimal("0.01")
KNOWN_S_WARNING, JOB_S_WARNING = 1_800.0, 600.0


def venue_account_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """What the venue and the chain say of our account now."""
    try:
        account = wallet_for(venue_code).fetch_account()
    except Refused:
        return [not_asked("account_standing", venue_code)]
    found = [_standing(venue_code, account), _wallet(venue_code, account), _approvals(venue_code, account)]
    if account.is_key_valid is False:
        found.append(
            fault(
                "account_key",
                f"The API key at {venue_code} does not belong to the private key {account.signer}",
                remedy=f"manage.py venue_credentials {venue_code} derives those of the key that is set",
                runbook="venue-settings",
            )
        )
    if (lag := _lag(venue_code, account)) is not None:
        found.append(lag)
    if account.unread:
        found.append(
            warning(
                "account_unread",
                f"Not all of the account at {venue_code} could be read: {'; '.join(account.unread)[:300]}",
                remedy="See the venue's other findings, then ask again",
                runbook="venue-unreachable",
            )
        )
    return found


def venue_standing_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """What was last read of our account, without asking anybody, and the wallet's own jobs."""
    row = account_standing(venue_code)
    found = [_known(venue_code, row, now=now)]
    jobs = wallet_jobs_live(venue_code)
    if jobs and (age_s := (now - jobs[0].created_at).total_seconds()) >= JOB_S_WARNING:
        found.append(
            warning(
                "wallet_jobs",
                f"{len(jobs)} jobs of the wallet at {venue_code} are not over, the oldest for {age_s / 60:.0f} minutes",
                remedy="Wallet jobs shows how far each is; bytes that can never take effect become void by themselves",
                runbook="wallet",
            )
        )
    return found


def _known(venue_code: str, row: AccountStanding | None, *, now: datetime) -> Finding:
    remedy = "See that the worker of the queue `default` runs and that the venue answers"
    if row is None:
        return warning(
            "account_known",
            f"The account at {venue_code} was never read",
            remedy=remedy,
            runbook="venue-unreachable",
        )
    if row.opening_refusal or row.faults:
        told = "; ".join(
            dict.fromkeys([row.opening_refusal, *row.faults] if row.opening_refusal else row.faults)
        )
        return fault(
            "account_known",
            f"The account at {venue_code} is not in order: {told[:300]}",
            remedy="manage.py wallet status shows all of it",
            runbook="account-closed" if row.opening_refusal else "venue-settings",
        )
    age_s = (now - row.checked_at).total_seconds()
    if age_s >= KNOWN_S_WARNING:
        return warning(
            "account_known",
            f"The account at {venue_code} was last read {age_s / 60:.0f} minutes ago",
            remedy=remedy,
            runbook="venue-unreachable",
        )
    return ok(
        "account_known", f"The account at {venue_code} was in order {max(age_s, 0) / 60:.0f} minutes ago"
    )


def venue_contracts_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """Each contract that we sign for says of itself what our table says."""
    try:
        told = signing_for(venue_code).check_domains()
    except Refused:
        return [not_asked("contracts", venue_code)]
    wrong = [finding for finding in told if finding.is_right is False]
    unasked = [finding for finding in told if finding.is_right is None]
    if wrong:
        return [
            fault(
                "contracts",
                f"{len(wrong)} of {len(told)} contracts of {venue_code} are not as our table says: {wrong[0].message}",
                remedy="Stop trading there; compare Exchange contracts with the venue's documentation",
                runbook="venue-contracts",
            )
        ]
    if unasked or not told:
        why = unasked[0].message if unasked else "the table is empty"
        return [
            warning(
                "contracts",
                f"{len(unasked)} of {len(told)} contracts of {venue_code} could not be asked: {why}",
                remedy="Look whether the chain's node answers (POLYMARKET_RPC_URL)",
                runbook="venue-contracts",
            )
        ]
    return [
        ok("contracts", f"All {len(told)} contracts of {venue_code} say of themselves what our table says")
    ]


def _standing(venue_code: str, account: AccountReport) -> Finding:
    if account.opening_refusal:
        return fault(
            "account_standing",
            f"Nothing is opened at {venue_code}: {account.opening_refusal}",
            remedy="What is held may still be sold; settle it with the venue before anything else",
            runbook="account-closed",
        )
    place = f" from {account.country}" if account.country else ""
    return ok("account_standing", f"{venue_code} lets the account open positions{place}")


def _wallet(venue_code: str, account: AccountReport) -> Finding:
    kind = WALLET_KINDS.get(account.signature_type, f"signature type {account.signature_type}")
    if account.is_wallet_ours is False:
        return fault(
            "account_wallet",
            f"The {kind} {account.wallet} does not follow from the key {account.signer}",
            remedy="Correct POLYMARKET_WALLET or POLYMARKET_SIGNATURE_TYPE; money sent there may be lost to us",
            runbook="venue-settings",
        )
    return ok("account_wallet", f"The wallet at {venue_code} is {kind}, {account.wallet}")


def _approvals(venue_code: str, account: AccountReport) -> Finding:
    missing = [item for item in account.approvals if not item.is_granted]
    if missing:
        first = missing[0]
        return fault(
            "account_approvals",
            f"{len(missing)} of {len(account.approvals)} approvals are missing at {venue_code}:"
            f" {first.spender} for {first.token} ({first.purpose})",
            remedy="manage.py wallet approve says what the wallet has to sign, and does it where it can",
            runbook="wallet",
        )
    return ok("account_approvals", f"All {len(account.approvals)} approvals of {venue_code} are granted")


def _lag(venue_code: str, account: AccountReport) -> Finding | None:
    """The order book trades on its own picture of the wallet, which it reads again when told to."""
    if account.seen_usd is None or not account.balances:
        return None
    seen_usd = account.seen_usd
    on_chain = min(account.balances.values(), key=lambda amount: abs(amount - seen_usd))
    if abs(on_chain - account.seen_usd) <= SEEN_DIFFERS_USD:
        return None
    return warning(
        "account_lag",
        f"The chain says {on_chain:,.2f} USD, the order book of {venue_code} sees {seen_usd:,.2f}",
        remedy="Usually a trade that has not settled yet; if it stays, manage.py wallet refresh",
        runbook="wallet",
    )
