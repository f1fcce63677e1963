"""Asks a venue who we are there and keeps the answer: one row for as long as nothing of substance changes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog

from venues.domain.accounts import AccountReport
from venues.models import AccountStanding
from venues.registry import venues_with_wallet, wallet_for
from venues.selectors.accounts import account_standing

log = structlog.get_logger(__name__)

STANDING_EVERY_S = 300
_SUBSTANCE = (
    "wallet", "signer", "signature_type", "is_geoblocked", "place", "is_closed_only", "is_banned", "is_key_valid",
    "is_wallet_ours", "opening_refusal", "faults", "unread", "approvals",
)  # fmt: skip


def account_read(venue_code: str, *, now: datetime) -> AccountStanding:
    """Ask now and return the current row. Never raises for a silent venue: what could not be read is named in it.

    Raises Refused for a venue without a wallet, or with faulty settings.
    """
    report = wallet_for(venue_code).fetch_account()
    values = _values(report)
    newest = account_standing(venue_code)
    if newest is None or any(getattr(newest, name) != values[name] for name in _SUBSTANCE):
        row = AccountStanding.objects.create(venue_id=venue_code, first_read_at=now, checked_at=now, **values)
        if row.faults:
            log.warning("account standing", venue=venue_code, faults=row.faults, unread=row.unread)
        return row
    for name, value in values.items():
        setattr(newest, name, value)
    newest.checked_at = now
    newest.save()
    return newest


def wallet_venue_codes() -> frozenset[str]:
    """Venues whose money is on a chain, for the doors, which do not ask the registry."""
    return venues_with_wallet()


def _values(report: AccountReport) -> dict[str, Any]:
    return {
        "wallet": report.wallet,
        "signer": report.signer,
        "signature_type": report.signature_type,
        "is_geoblocked": report.is_geoblocked,
        "place": " ".join(word for word in (report.country, report.region) if word)[:60],
        "is_closed_only": report.is_closed_only,
        "is_banned": report.is_banned,
        "is_key_valid": report.is_key_valid,
        "is_wallet_ours": report.is_wallet_ours,
        "opening_refusal": report.opening_refusal[:200],
        "faults": list(report.faults),
        "unread": list(report.unread),
        "approvals": [asdict(approval) for approval in report.approvals],
        "balances": {name: str(amount) for name, amount in report.balances.items()},
        "seen_usd": report.seen_usd,
        "clock_offset_s": None
        if report.clock_offset_s is None
        else Decimal(report.clock_offset_s).quantize(Decimal("0.001")),
    }
