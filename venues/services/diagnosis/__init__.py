"""The checks of every venue that orders can be sent to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tonsurance.kernel.findings import Finding
from tonsurance.plumbing.checkups import Check
from venues.registry import venues_with_contracts, venues_with_gateway, venues_with_wallet
from venues.services.diagnosis.account import venue_account_ask, venue_contracts_ask, venue_standing_ask
from venues.services.diagnosis.line import venue_credentials_ask, venue_reach_ask, venue_settings_ask

# The adapters' client libraries take a second or two to load; a read of a mute venue is given up after sixteen.
WAIT_S = 20.0
# Balance, approvals and standing are a dozen reads of the venue and of the chain.
ACCOUNT_WAIT_S = 25.0


def venue_checks() -> list[Check]:
    """Settings without the network; clock, account and contracts asked of the venue, without our database."""
    return [check for venue_code in sorted(venues_with_gateway()) for check in _checks_of(venue_code)]


def _checks_of(venue_code: str) -> list[Check]:
    checks = [
        _check(venue_code, "settings", venue_settings_ask, asks_venue=False),
        _check(venue_code, "reach", venue_reach_ask),
        _check(venue_code, "credentials", venue_credentials_ask),
    ]
    if venue_code in venues_with_contracts():
        checks.append(_check(venue_code, "contracts", venue_contracts_ask))
    if venue_code in venues_with_wallet():
        checks.append(_check(venue_code, "account", venue_account_ask, wait_s=ACCOUNT_WAIT_S))
        standing = _check(venue_code, "standing", venue_standing_ask, asks_venue=False)
        checks.append(replace(standing, needs_database=True))
    return checks


def _check(
    venue_code: str,
    name: str,
    ask: Callable[..., Sequence[Finding]],
    *,
    asks_venue: bool = True,
    wait_s: float = WAIT_S,
) -> Check:
    is_first = name in {"settings", "reach"}
    return Check(
        name=f"{venue_code}.{name}",
        group="Venues",
        ask=partial(ask, venue_code),
        wait_s=wait_s,
        needs_database=False,
        asks_venue=asks_venue,
        after="" if is_first or not asks_venue else f"{venue_code}.reach",
    )
