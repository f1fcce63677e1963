"""What is done by the clock for each wallet: answers of markets, redemptions, ordered jobs, our standing.

Each step claims its stretch of time, so that beat, the engine and a command may all ring it.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from hedging.services.redemptions import redemptions_open
from hedging.services.resolutions import RESOLUTIONS_EVERY_S, resolutions_watch
from hedging.services.standings import account_watch
from tonsurance.kernel.errors import Refused
from tonsurance.plumbing.apart import apart
from tonsurance.plumbing.slots import slot_claim
from venues.services.accounts import STANDING_EVERY_S
from venues.services.wallets import wallet_jobs_advance

__all__ = [
    "RESOLUTIONS_EVERY_S",
    "STANDING_EVERY_S",
    "WALLET_EVERY_S",
    "account_step",
    "resolutions_step",
    "wallet_step",
]

log = structlog.get_logger(__name__)

WALLET_EVERY_S = 5
_JOB_STEPS_MAX = 3


def resolutions_step(venue_code: str, *, now: datetime) -> int:
    """Ask for answers and decide redemptions; return how many outcomes and redemptions were new."""
    if not slot_claim(f"watch_resolutions:{venue_code}", every_s=RESOLUTIONS_EVERY_S, now=now):
        return 0
    found = 0
    with apart("answers of markets could not be watched", venue=venue_code):
        found += resolutions_watch(venue_code, now=now)
    with apart("redemptions could not be decided", venue=venue_code):
        found += redemptions_open(venue_code, now=now)
    return found


def wallet_step(venue_code: str, *, now: datetime) -> int:
    """Take the wallet's jobs a few steps further; return how many steps did something."""
    if not slot_claim(f"wallet_jobs:{venue_code}", every_s=WALLET_EVERY_S, now=now):
        return 0
    done = 0
    for _ in range(_JOB_STEPS_MAX):
        said = ""
        with apart("a wallet job failed on our side", venue=venue_code):
            said = wallet_jobs_advance(venue_code, now=now)
        if not said:
            break
        done += 1
    return done


def account_step(venue_code: str, *, now: datetime) -> bool:
    """Read our standing, and apply it; whether anybody had to."""
    if not slot_claim(f"watch_account:{venue_code}", every_s=STANDING_EVERY_S, now=now):
        return False
    with apart("our standing could not be read", venue=venue_code):
        try:
            account_watch(venue_code, now=now)
        except Refused as no:
            # No key is set, or a wrong one: the doctor says so; here it is no fault of the loop.
            log.info("our standing is not read", venue=venue_code, why=str(no))
    return True
