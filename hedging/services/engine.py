"""The loop that keeps the money path alive with Redis and beat dead: it finds in the table what no bell announced.

It does what the Celery tasks do, by the same services; both may run at once, because every step is a compare-and-set.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from hedging.services.breakers import venues_resume_due
from hedging.services.claims import claims_note_closed
from hedging.services.cycles import cycle_run_if_due
from hedging.services.executor import Placed, intents_place_due
from hedging.services.mapping_watch import MAPPINGS_EVERY_S, mappings_watch
from hedging.services.price_watch import PRICES_EVERY_S, price_moved
from hedging.services.resolver import orders_check_due
from hedging.services.resting import resting_review
from hedging.services.settlements import settlements_watch
from hedging.services.wallet_watch import (
    RESOLUTIONS_EVERY_S,
    STANDING_EVERY_S,
    WALLET_EVERY_S,
    account_step,
    resolutions_step,
    wallet_step,
)
from policies.services.due import policies_activate_due, policies_expire_due
from policies.services.exposure import exposure_fold
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.apart import apart, database_is_away
from tonsurance.plumbing.slots import slot_age_s, slot_claim
from venues.registry import venues_with_gateway, venues_with_wallet

log = structlog.get_logger(__name__)

LOOKUPS_MAX = 50
PLACES_MAX = 3
SETTLEMENT_EVERY_S = 5
RESTING_EVERY_S = 10
CYCLE_EVERY_S = 300
AFTER_FAULT_S = 2.0
# A look that came to its end leaves this slot: the doctor's proof that an engine is at work.
HEARTBEAT = "engine"
HEARTBEAT_EVERY_S = 10


class Engine:
    """Dispatcher and resolver. `run` returns after `stop` or after `ticks_max` looks at the table."""

    def __init__(self, *, interval_s: float = 1.0) -> None:
        self._interval_s = interval_s
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the current step and return."""
        self._stopping.set()

    def run(self, *, ticks_max: int = 0) -> None:
        """Look, act, wait for a notice or the interval; a dead database is retried, never a reason to end."""
        log.info("engine started", venues=sorted(venues_with_gateway()))
        ticks = 0
        while not self._stopping.is_set():
            busy = self._guarded(self.tick)
            ticks += 1
            if ticks_max and ticks >= ticks_max:
                break
            if not busy:
                self._wait()
        log.info("engine stopped", ticks=ticks)

    def tick(self) -> bool:
        """One look at everything that may be due; True when something was done."""
        now = utc_now()
        venues_resume_due(now=now)
        done = 0
        for venue_code in sorted(venues_with_gateway()):
            done += self._place(venue_code)
            done += len(orders_check_due(venue_code, now=utc_now(), limit=LOOKUPS_MAX))
            if slot_claim(f"resting:{venue_code}", every_s=RESTING_EVERY_S, now=utc_now()):
                with apart("the review of resting bids failed", venue=venue_code):
                    done += resting_review(venue_code, now=utc_now())
            if slot_claim(f"engine_settlements:{venue_code}", every_s=SETTLEMENT_EVERY_S, now=utc_now()):
                done += settlements_watch(venue_code, now=utc_now())
                done += claims_note_closed(now=utc_now())
        self._instead_of_beat()
        slot_claim(HEARTBEAT, every_s=HEARTBEAT_EVERY_S, now=utc_now())
        return done > 0

    def _place(self, venue_code: str) -> int:
        """Place what is due, a portion at a time; the look-ups get their turn after PLACES_MAX of them."""
        done = 0
        for _ in range(PLACES_MAX):
            placed: dict[uuid.UUID, Placed] = {}
            with apart("placing failed on our side", venue=venue_code):
                placed = intents_place_due(venue_code, now=utc_now())
            done += len(placed)
            if not placed or self._stopping.is_set():
                break
        return done

    def _instead_of_beat(self) -> None:
        """Do beat's work when beat is late: the same slots make sure that it is done once."""
        now = utc_now()
        if slot_age_s("orchestrate", now=now) > CYCLE_EVERY_S * 1.2 and slot_claim(
            "orchestrate", every_s=CYCLE_EVERY_S, now=now
        ):
            cycle_run_if_due(cause="engine", now=now)
        if slot_age_s("watch_mappings", now=now) > MAPPINGS_EVERY_S * 3 and slot_claim(
            "watch_mappings", every_s=MAPPINGS_EVERY_S, now=now
        ):
            # A few markets at a time: orders wait in this loop while the venue answers.
            mappings_watch(now=now, markets_max=5)
        if (
            slot_age_s("watch_prices", now=now) > PRICES_EVERY_S * 6
            and slot_claim("watch_prices", every_s=PRICES_EVERY_S, now=now)
            and (cause := price_moved(now=now))
        ):
            cycle_run_if_due(cause=cause, now=now)
        for venue_code in sorted(venues_with_wallet()):
            self._wallet(venue_code)
        if slot_age_s("expire", now=now) > 180 and slot_claim("expire", every_s=60, now=now):
            policies_activate_due(now=now, actor="engine")
            policies_expire_due(now=now, actor="engine")
            exposure_fold(now=now)

    def _wallet(self, venue_code: str) -> None:
        """Answers of markets, redemptions, the wallet's jobs, our standing: what beat rings, when it does not."""
        now = utc_now()
        if slot_age_s(f"watch_resolutions:{venue_code}", now=now) > RESOLUTIONS_EVERY_S * 1.5:
            resolutions_step(venue_code, now=now)
        if slot_age_s(f"wallet_jobs:{venue_code}", now=now) > WALLET_EVERY_S:
            wallet_step(venue_code, now=now)
        if slot_age_s(f"watch_account:{venue_code}", now=now) > STANDING_EVERY_S * 1.5:
            account_step(venue_code, now=now)

    def _guarded(self, step: Callable[[], bool]) -> bool:
        try:
            close_old_connections()
            return step()
        except Exception as error:
            if database_is_away(error):
                # A traceback every two seconds would bury the sentence.
                log.error("the database is away; trying again", error=str(error))  # noqa: TRY400
                connection.close()
            else:
                # A fault in one kind of work (a cycle, a settlement) must not end the resolver of all others.
                log.exception("a look of the engine failed")
            self._stopping.wait(AFTER_FAULT_S)
            return False

    def _wait(self) -> None:
        """Sleep until PostgreSQL announces an intent or the interval is over."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("LISTEN hedging_intent")
            deadline = time.monotonic() + self._interval_s
            source = connection.connection
            while not self._stopping.is_set() and time.monotonic() < deadline:
                if any(True for _ in source.notifies(timeout=min(0.25, self._interval_s), stop_after=1)):
                    return
        except (OperationalError, InterfaceError):
            connection.close()
            self._stopping.wait(self._interval_s)
