"""Our account on a venue's page: standing, balances, approvals, and the wallet's jobs."""

from __future__ import annotations

from decimal import Decimal

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.cards import Card
from venues.admin.wallets import COLOURS
from venues.domain.accounts import WALLET_KINDS
from venues.models import AccountStanding, Venue, WalletJob
from venues.selectors.accounts import account_standing

_JOBS_SHOWN = 20


def account_cards(venue: Venue) -> list[Card]:
    """What is known of our account; nothing for a venue where nobody has read it."""
    standing = account_standing(venue.code)
    jobs = list(WalletJob.objects.filter(venue=venue)[:_JOBS_SHOWN])
    cards = [] if standing is None else [_account(standing), _approvals(standing)]
    return cards + ([_jobs(jobs)] if jobs else [])


def account_alarm(venue: Venue) -> str:
    """What a person must do about the account ("" when nothing)."""
    standing = account_standing(venue.code)
    return "; ".join(standing.faults) if standing is not None else ""


def _account(row: AccountStanding) -> Card:
    kind = WALLET_KINDS.get(row.signature_type, f"type {row.signature_type}")
    rows = [
        ("Wallet", f"{row.wallet} ({kind})"),
        ("Key", row.signer),
        ("Country", _said(row.is_geoblocked, bad="Blocked", good="Served", more=row.place)),
        ("Opening", _said(row.is_closed_only, bad="Only closing", good="Allowed")),
        ("Banned", _said(row.is_banned, bad="Banned", good="No")),
        ("API key", _said(_not(row.is_key_valid), bad="Not of this key", good="Of this key")),
        ("Wallet follows from the key", _said(_not(row.is_wallet_ours), bad="No", good="Yes")),
        (
            "Clock",
            f"{row.clock_offset_s} s from the venue's" if row.clock_offset_s is not None else display.NOTHING,
        ),
        *((f"{name} on chain", _amount(amount)) for name, amount in row.balances.items()),
        (
            "pUSD at the order book",
            display.usd(row.seen_usd) if row.seen_usd is not None else display.NOTHING,
        ),
        *(("Not read", line) for line in row.unread),
    ]
    age = display.ago_text(row.checked_at, now=utc_now())
    return Card(f"Our account, read {age}", display.facts(rows))


def _approvals(row: AccountStanding) -> Card:
    rows = [
        (
            display.badge("Granted", "green") if item["is_granted"] else display.badge("Missing", "red"),
            item["token"],
            item["spender"],
            display.short_hash(item["spender_address"]),
            item["have"],
            item["purpose"],
        )
        for item in sorted(row.approvals, key=lambda item: bool(item["is_granted"]))
    ]
    missing = sum(not item["is_granted"] for item in row.approvals)
    title = (
        "Approvals" if not missing else f"Approvals: {display.counted(missing, 'is missing', 'are missing')}"
    )
    return Card(title, display.table(["", "What", "For", "Contract", "Granted", "Needed for"], rows))


def _jobs(jobs: list[WalletJob]) -> Card:
    rows = [
        (
            display.admin_link(job, job.title),
            display.badge(job.get_state_display(), COLOURS[job.state]),
            display.moment(job.created_at),
            job.requested_by,
            job.outcome or display.NOTHING,
        )
        for job in jobs
    ]
    return Card(
        f"The wallet's jobs (the newest {_JOBS_SHOWN})",
        display.table(["Act", "State", "Ordered", "By", "What came of it"], rows),
    )


def _said(is_bad: bool | None, *, bad: str, good: str, more: str = "") -> object:
    if is_bad is None:
        return display.badge("Not read", "grey")
    badge = display.badge(bad, "red") if is_bad else display.badge(good, "green")
    return (
        badge
        if not more
        else display.badge(f"{bad if is_bad else good}: {more}", "red" if is_bad else "green")
    )


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _amount(text: str) -> str:
    return f"{Decimal(text).normalize():,f}"
