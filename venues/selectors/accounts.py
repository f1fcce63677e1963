"""Our standing at a venue and the wallet's jobs, as pages and checks read them."""

from __future__ import annotations

from venues.models import AccountStanding, WalletJob

LIVE_JOBS = ["WAITING", "PREPARED", "SENDING", "UNKNOWN"]


def account_standing(venue_code: str) -> AccountStanding | None:
    """What was last found out about our account there; None when nobody has asked yet."""
    return AccountStanding.objects.filter(venue_id=venue_code).order_by("-pk").first()


def standings_newest() -> list[AccountStanding]:
    """The current standing of every venue that has one."""
    rows = AccountStanding.objects.order_by("venue_id", "-pk").distinct("venue_id")
    return list(rows.select_related("venue"))


def wallet_jobs_live(venue_code: str) -> list[WalletJob]:
    """Jobs that are not over, in the order in which they are done."""
    return list(
        WalletJob.objects.filter(venue_id=venue_code, state__in=LIVE_JOBS).order_by("created_at", "pk")
    )
