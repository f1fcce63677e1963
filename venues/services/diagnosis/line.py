"""Whether each venue can be traded with: settings and keys that fit, a clock that agrees, an account that it knows.

Reads only; nothing is ordered, cancelled or made at a venue. No secret is ever part of a sentence.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.findings import Finding, fault, ok, warning
from tonsurance.plumbing.diagnosis.clock import skew_judge
from venues.domain.gateway import Gateway, LookupFailed
from venues.registry import gateway_for

# Signed requests carry our time; a venue's tolerance is not published, so half a minute is already too much.
CLOCK_S_WARNING, CLOCK_S_FAULT, CLOCK_RESOLUTION_S = 2.0, 15.0, 1.0


def venue_settings_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """Key, wallet, signature type, hosts, chain and credentials fit each other and the kind of trading. No network."""
    try:
        gateway = gateway_for(venue_code)
    except Refused as refusal:
        return [_not_set_up(venue_code, refusal)]
    words = getattr(gateway, "account_words", "")
    found = [ok("venue_settings", f"{venue_code}: key, wallet, hosts and chain fit each other ({words})")]
    found.append(_money(venue_code, gateway))
    if not _has_credentials(gateway):
        found.append(_no_credentials(venue_code))
    return found


def venue_reach_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """The venue answers, and its clock agrees with ours."""
    try:
        gateway = gateway_for(venue_code)
        before = utc_now()
        theirs = gateway.fetch_time()
        after = utc_now()
    except Refused:
        return [not_asked("venue_reachable", venue_code)]
    except LookupFailed as error:
        return [_silent(venue_code, error)]
    took_ms = (after - before).total_seconds() * 1000
    return [
        ok("venue_reachable", f"{venue_code} answers in {took_ms:.0f} ms"),
        skew_judge(
            "clock_venue",
            f"The clock of {venue_code}",
            theirs,
            before=before,
            after=after,
            resolution_s=CLOCK_RESOLUTION_S,
            warning_s=CLOCK_S_WARNING,
            fault_s=CLOCK_S_FAULT,
        ),
    ]


def venue_credentials_ask(venue_code: str, *, now: datetime) -> list[Finding]:
    """The venue accepts our key's API credentials: it lists our open orders, and only ours."""
    try:
        gateway = gateway_for(venue_code)
        if not _has_credentials(gateway):
            return [_no_credentials(venue_code)]
        orders = gateway.fetch_open_orders()
    except Refused:
        return [not_asked("venue_credentials", venue_code)]
    except LookupFailed as error:
        return [_not_let_in(venue_code, error)]
    return [ok("venue_credentials", f"{venue_code} knows our account and lists {len(orders)} open orders")]


def _money(venue_code: str, gateway: Gateway) -> Finding:
    """Whether the environment's name and what an order would cost say the same."""
    is_real, environment = getattr(gateway, "is_real_money", True), settings.TRADING_ENVIRONMENT
    if is_real and environment != "LIVE":
        return fault(
            "venue_money",
            f"TRADING_ENVIRONMENT is {environment}, and {venue_code} is the real one",
            remedy="Point the venue's addresses and chain at a practice exchange: docs/practice-exchange.md",
            runbook="venue-settings",
        )
    if not is_real and environment == "LIVE":
        return fault(
            "venue_money",
            f"TRADING_ENVIRONMENT is LIVE, and {venue_code} is a practice exchange: hedges there are worth nothing",
            remedy="Set the venue's own addresses and chain, or TRADING_ENVIRONMENT=PRACTICE",
            runbook="venue-settings",
        )
    kind = "the real venue" if is_real else "a practice exchange"
    return ok("venue_money", f"{venue_code} is {kind}, as TRADING_ENVIRONMENT={environment} says")


def _has_credentials(gateway: Gateway) -> bool:
    return bool(getattr(gateway, "has_credentials", True))


def _not_set_up(venue_code: str, refusal: Refused) -> Finding:
    # Our own messages name the variable and never its value.
    return fault(
        "venue_settings",
        f"{venue_code} cannot be used: {refusal.message}",
        remedy=f"Set {refusal.field or 'what it names'} in the environment and start the processes again",
        runbook="venue-settings",
    )


def not_asked(code: str, venue_code: str) -> Finding:
    """A venue whose settings are refused cannot be asked anything."""
    return fault(
        code,
        f"{venue_code} cannot be asked: its settings are refused",
        remedy=f"See the finding of {venue_code}.settings",
        runbook="venue-settings",
    )


def _no_credentials(venue_code: str) -> Finding:
    return fault(
        "venue_credentials",
        f"There are no API credentials for {venue_code}: no order can be sent, no account read",
        remedy=f"manage.py venue_credentials {venue_code} derives them; store them in the environment",
        runbook="venue-settings",
    )


def _silent(venue_code: str, error: LookupFailed) -> Finding:
    return fault(
        "venue_reachable",
        f"{venue_code} does not answer: {error}",
        remedy="Look at its status page, at the network and proxy of this machine, and at the venue's addresses",
        runbook="venue-unreachable",
    )


def _not_let_in(venue_code: str, error: LookupFailed) -> Finding:
    if "HTTP 401" not in str(error) and "HTTP 403" not in str(error):
        return warning(
            "venue_credentials",
            f"Whether {venue_code} accepts our credentials could not be seen: {error}",
            remedy="See its other findings, then ask again",
            runbook="venue-unreachable",
        )
    return fault(
        "venue_credentials",
        f"{venue_code} does not accept our API credentials ({error}): they are of another key, revoked, or misspelt",
        remedy=f"manage.py venue_credentials {venue_code} derives those of the key that is set; check the clock too",
        runbook="venue-settings",
    )
