"""The numbers Polymarket and we ourselves set: time-outs, ceilings, decimal places per tick."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple


class Timeouts(NamedTuple):
    """Seconds for each part of a request; `total_s` bounds an answer that drips."""

    connect_s: float
    write_s: float
    pool_s: float
    read_s: float
    total_s: float


# A read time-out shorter than the venue's worst case only manufactures unknowns (py-clob-client issue 273).
ORDER_TIMEOUTS: Final = Timeouts(connect_s=2, write_s=2, pool_s=1, read_s=15, total_s=20)
READ_TIMEOUTS: Final = Timeouts(connect_s=2, write_s=2, pool_s=1, read_s=5, total_s=10)
READ_ATTEMPTS_MAX: Final = 3
READ_RETRY_S_MAX: Final = 12.0
ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024
PAGES_MAX: Final = 100
CONDITIONS_PER_PAGE: Final = 50
KEEPALIVE_S: Final = 20.0
# The venue takes 1000 ids in one request (the official client: 3000), but each costs a token of a bucket that holds 120
# in the lowest tier, and a request for more than that is never admitted (docs.polymarket.com/api-reference).
CANCEL_BATCH_MAX: Final = 100
# A resting order must outlive its arrival by three minutes (polymarket-client 0.14.0, orders/limit.py), and the venue
# takes it off the book about a minute before it expires (docs.polymarket.com/trading/orders/create-order).
RESTING_LIFE_S_MIN: Final = 180
RESTING_LIFE_S_MAX: Final = 366 * 86_400
# docs.polymarket.com/trading/orders: "up to 15 orders in one request".
ORDER_BATCH_MAX: Final = 15
# `POST /books` takes up to 500 tokens (docs.polymarket.com, get order books).
BOOKS_MAX: Final = 500
MESSAGE_CHARS_MAX: Final = 500
# The matching engine restarts in about 90 s (docs.polymarket.com, matching engine restarts).
ENGINE_RESTART_S: Final = 90
FEE_TERMS_TTL_S: Final = 600.0
FEE_TERMS_MAX: Final = 1000
OWN_ORDERS_MAX: Final = 1000
CONDITIONS_MAX: Final = 10_000

# "invalid amount for a marketable BUY order ($0.17), min size: $1" (the venue's refusal).
MARKETABLE_BUY_USD_MIN: Final = Decimal(1)
# Our own ceiling in shares, exclusive. It also tells shares from micro-units in the venue's order reports.
ORDER_SIZE_LIMIT: Final = Decimal(1_000_000)
FINEST_TICK: Final = Decimal("0.0001")


class Rounding(NamedTuple):
    """Decimal places of prices, sizes and money amounts."""

    price: int
    size: int
    amount: int


# The official client's table (polymarket-client 0.14.0, orders/context.py).
ROUNDING_BY_TICK: Final[Mapping[Decimal, Rounding]] = {
    Decimal("0.1"): Rounding(price=1, size=2, amount=3),
    Decimal("0.01"): Rounding(price=2, size=2, amount=4),
    Decimal("0.005"): Rounding(price=3, size=2, amount=5),
    Decimal("0.0025"): Rounding(price=4, size=2, amount=6),
    Decimal("0.001"): Rounding(price=3, size=2, amount=5),
    Decimal("0.0001"): Rounding(price=4, size=2, amount=6),
}
