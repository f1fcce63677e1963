"""How long an order may live, and every reason to refuse the life it was given.

An order of ours always dies by itself: FAK and FOK at once, GTD at a moment that it carries. An order that rests
until somebody cancels it (GTC) is not offered, for an orphan of that kind would wait for ever. The moment is not
part of the signed order (docs.polymarket.com/v2-migration): it binds the venue, and is no part of the order's name.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tonsurance.kernel.clock import epoch_ms
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.limits import RESTING_LIFE_S_MAX, RESTING_LIFE_S_MIN
from venues.domain.gateway import OrderRequest, TimeInForce


def expiration_of(request: OrderRequest) -> int:
    """Epoch seconds for the order's bytes: whole, never later than asked for; 0 for an order that fills at once.

    Raises Refused for a life that does not fit the order's kind.
    """
    if request.time_in_force is not TimeInForce.GTD:
        if request.expires_at is not None:
            raise _refused("expires_at", f"has no meaning for {request.time_in_force}; leave it out")
        if request.post_only:
            raise _refused("post_only", f"contradicts {request.time_in_force}, which only takes; send GTD")
        return 0
    if request.expires_at is None:
        raise _refused("expires_at", "is missing; an order that rests must carry the moment at which it dies")
    return epoch_ms(request.expires_at) // 1000


def refuse_short_life(request: OrderRequest, *, now: datetime) -> None:
    """Raises Refused for an order that rests but is about to expire, which the venue would not take."""
    expiration = expiration_of(request)
    if expiration == 0:
        return
    life_s = expiration - epoch_ms(now) // 1000
    if life_s < RESTING_LIFE_S_MIN:
        raise _refused(
            "expires_at",
            f"is {life_s} s ahead; the venue wants at least {RESTING_LIFE_S_MIN} s, "
            "and takes the order off its book a minute early",
        )
    if life_s > RESTING_LIFE_S_MAX:
        raise _refused(
            "expires_at", f"is {life_s // 86_400} days ahead; let it die within a year and post it anew"
        )


def fence_of(expiration: int) -> datetime | None:
    """From when on the venue matches these bytes no more; its own book drops them up to a minute earlier."""
    return datetime.fromtimestamp(expiration, tz=UTC) if expiration else None


def _refused(field: str, message: str) -> Refused:
    return Refused(f"{field}: {message}", code="order_rules", field=field)
