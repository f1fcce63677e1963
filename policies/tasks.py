"""What happens to promises by the clock: cover begins and ends, exposure is folded, and the hedger is
told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from celery import shared_task

from policies.services.due import BATCH, policies_activate_due, policies_expire_due
from policies.services.exposure import FOLD_LIMIT, exposure_fold
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.slots import slot_claim

BATCHES_MAX = 20


@shared_task(name="policies.expire")
def expire() -> None:
    """Begin and end what is due, fold exposure. Doubled or late runs change nothing but seconds.

    At most 20 batches of each kind in a run; the next minute takes the rest.
    """
    now = utc_now()
    # Says that it was done; the engine does it when nobody has.
    slot_claim("expire", every_s=60, now=now)
    begun = _in_batches(policies_activate_due, now=now)
    ended = _in_batches(policies_expire_due, now=now)
    for _ in range(BATCHES_MAX):
        if exposure_fold(now=now) < FOLD_LIMIT:
            break
    if begun or ended:
        ring("hedging.orchestrate", "policies due")


def _in_batches(service: Callable[..., int], *, now: datetime) -> int:
    done = 0
    for _ in range(BATCHES_MAX):
        batch = service(now=now)
        done += batch
        if batch < BATCH:
            break
    return done
