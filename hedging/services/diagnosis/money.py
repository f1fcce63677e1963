"""Whether there is money to hedge with, and whether the venue's contracts may take it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hedging.services.config import config_read
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, fault, ok, warning
from venues.domain.gateway import BalanceReport, LookupFailed
from venues.registry import gateway_for, venues_with_gateway
from venues.selectors.balances import balances_newest

SEEN_S_WARNING = 1_800.0


def balances_ask(*, now: datetime) -> list[Finding]:
    """What each venue said last, how long ago, against the least that we want there."""
    least = config_read().balance_usd_min
    newest = balances_newest()
    found: list[Finding] = []
    for row in newest:
        age_s = (now - row.taken_at).total_seconds()
        found.append(_amount(row.venue_id, row.total, row.currency, least=least))
        if age_s >= SEEN_S_WARNING:
            found.append(
                warning(
                    "balance_age",
                    f"The balance at {row.venue_id} was last read {age_s / 60:.0f} minutes ago",
                    remedy="See that the worker of the queue `default` runs and that the venue answers",
                    runbook="balance-low",
                )
            )
    unread = sorted(venues_with_gateway() - {row.venue_id for row in newest})
    if unread:
        found.append(
            warning(
                "balance_age",
                f"No balance was ever read at {', '.join(unread)}",
                remedy="See that the worker of the queue `default` runs and that the venue knows our account",
                runbook="balance-low",
            )
        )
    return found


def funds_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """Asked of the venue now: the balance, and what each of its contracts may take of it."""
    try:
        reports = gateway_for(venue_code).fetch_balances()
    except (LookupFailed, Refused) as error:
        return [
            fault(
                "funds",
                f"{venue_code} did not say what we have: {error}",
                remedy="See the venue's other findings",
                runbook="venue-unreachable",
            )
        ]
    least = config_read().balance_usd_min
    found: list[Finding] = []
    for report in reports:
        found.append(_amount(venue_code, report.total, report.currency, least=least))
        found.append(_allowed(venue_code, report))
    return found


def _amount(venue_code: str, total: Decimal, currency: str, *, least: Decimal) -> Finding:
    runbook = "balance-low"
    if total <= 0:
        return fault(
            "balance",
            f"Nothing is left at {venue_code}: 0 {currency}",
            remedy="Move money into the trading wallet, or give the venue's share to others (venueShares)",
            runbook=runbook,
        )
    if total < least:
        return warning(
            "balance",
            f"{total:,.2f} {currency} at {venue_code} are less than the {least:,.2f} wanted there",
            remedy="Move money into the trading wallet, or lower the setting balanceMinimum",
            runbook=runbook,
        )
    return ok("balance", f"{total:,.2f} {currency} at {venue_code}")


def _allowed(venue_code: str, report: BalanceReport) -> Finding:
    short = {who: units for who, units in report.allowances.items() if units < report.total}
    if not short:
        return ok(
            "allowances", f"The {len(report.allowances)} contracts of {venue_code} may take what we have"
        )
    who, units = min(short.items(), key=lambda item: item[1])
    return fault(
        "allowances",
        f"{len(short)} of {len(report.allowances)} contracts of {venue_code} may take less than we have:"
        f" {who or 'the exchange'} may take {units:,.2f} of {report.total:,.2f} {report.currency}",
        remedy="manage.py wallet approve; orders beyond the allowance are refused",
        runbook="wallet",
    )
