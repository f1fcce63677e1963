"""The venue's rate limits: per signing address by volume tier, and per IP address by route. Pure.

Sources: docs.polymarket.com/api-reference/trading-rate-limits and /api-reference/rate-limits. The tables are only
where we start: the tier comes with the answers (`Poly-RateLimit-Tier`), and what they say is left is believed.

Routes are limited per ten seconds. A bucket of half of that, refilled at half of that per ten seconds, can never pass
more than the whole in any ten seconds, and leaves room for whoever else works behind our address.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, NamedTuple

from venues.domain.budgets import Bucket, BudgetKind, BudgetPlan, Charge, LimitReading

SIGNER_ORDERS: Final = "signer orders"
SIGNER_CANCELS: Final = "signer cancels"
STANDARD: Final = "standard"
# An answer that names a longer wait is not believed to the letter: the next request asks again.
WAIT_S_MAX: Final = 600
# Share of the order book's own limit that only cancels and look-ups may use.
_RESERVE: Final = 900


class Tier(NamedTuple):
    """Orders and cancels per second, and how many at once."""

    orders_rate: int
    orders_burst: int
    cancels_rate: int
    cancels_burst: int


TIERS: Final[Mapping[str, Tier]] = MappingProxyType(
    {
        STANDARD: Tier(40, 60, 80, 120),
        "copper": Tier(60, 90, 120, 180),
        "bronze": Tier(80, 120, 160, 240),
        "silver": Tier(200, 300, 400, 600),
        "gold": Tier(400, 600, 800, 1_200),
        "platinum": Tier(450, 675, 900, 1_350),
        "diamond": Tier(525, 787, 1_050, 1_575),
        "elite": Tier(600, 900, 1_200, 1_800),
    }
)


def _per_ten_seconds(name: str, requests: int, *, per_ten_minutes: int | None = None) -> Bucket:
    capacity, rate = Decimal(requests) / 2, Decimal(requests) / 20
    if per_ten_minutes is not None:
        rate = min(rate, (per_ten_minutes - capacity) / 600)
    return Bucket(name, capacity, round(rate, 3))


_BOOK_SERVICE: Final = _per_ten_seconds("ip order book", 9_000)
_ROUTES: Final = {
    # The sustained limit of POST /orders is that of the venue's page of July 2026; the newer page is mum about it.
    BudgetKind.ORDER: _per_ten_seconds("ip POST /order", 5_000, per_ten_minutes=120_000),
    BudgetKind.BATCH: _per_ten_seconds("ip POST /orders", 2_000, per_ten_minutes=15_000),
    BudgetKind.CANCEL: _per_ten_seconds("ip DELETE /orders", 1_000, per_ten_minutes=15_000),
    BudgetKind.LOOKUP: _per_ten_seconds("ip GET /data", 500),
    BudgetKind.BALANCE: _per_ten_seconds("ip GET /balance-allowance", 200),
    BudgetKind.BOOK: _per_ten_seconds("ip GET /book", 1_500),
    BudgetKind.BOOKS: _per_ten_seconds("ip POST /books", 500),
    BudgetKind.MARKETS: _per_ten_seconds("ip Gamma", 300),
}
_URGENT: Final = frozenset({BudgetKind.CANCEL, BudgetKind.LOOKUP})
# (method, beginning of the path below its service) -> kind; the first that fits.
_KINDS: Final = (
    ("POST", "/orders", BudgetKind.BATCH),
    ("POST", "/order", BudgetKind.ORDER),
    ("POST", "/books", BudgetKind.BOOKS),
    ("DELETE", "/", BudgetKind.CANCEL),
    ("GET", "/data/", BudgetKind.LOOKUP),
    ("GET", "/balance-allowance", BudgetKind.BALANCE),
    ("GET", "/book", BudgetKind.BOOK),
    ("GET", "/markets/keyset", BudgetKind.MARKETS),
    ("GET", "/events", BudgetKind.MARKETS),
    ("GET", "/public-search", BudgetKind.MARKETS),
)


def budget_plan(tier: str = STANDARD) -> BudgetPlan:
    """What each kind of request takes, for an account of this tier; an unknown tier counts as the lowest."""
    found = TIERS.get(tier.lower(), TIERS[STANDARD])
    orders = Bucket(SIGNER_ORDERS, Decimal(found.orders_burst), Decimal(found.orders_rate))
    cancels = Bucket(SIGNER_CANCELS, Decimal(found.cancels_burst), Decimal(found.cancels_rate))
    signer = {
        BudgetKind.ORDER: (Charge(orders, per_request=False),),
        BudgetKind.BATCH: (Charge(orders, per_request=False),),
        BudgetKind.CANCEL: (Charge(cancels, per_request=False),),
    }
    return {kind: signer.get(kind, ()) + _charges_of_route(kind) for kind in BudgetKind}


def _charges_of_route(kind: BudgetKind) -> tuple[Charge, ...]:
    route = Charge(_ROUTES[kind])
    if kind is BudgetKind.MARKETS:
        return (route,)
    return (route, Charge(_BOOK_SERVICE, floor=0 if kind in _URGENT else _RESERVE))


def reading_of(
    method: str, path: str, *, status: int, headers: Mapping[str, str], now_s: int
) -> LimitReading | None:
    """What an answer says of the bucket that its request took from; None when it says nothing.

    `Poly-RateLimit-Reset` is the Unix time at which enough tokens are expected, and means a wait only beside a refusal.
    A refusal without the signer's headers is the limit of our address, which no header describes but `Retry-After`.
    """
    said = {name.lower(): value.strip() for name, value in headers.items()}
    kind = next((kind for verb, start, kind in _KINDS if verb == method and path.startswith(start)), None)
    if kind is None:
        return None
    remaining = _number(said.get("poly-ratelimit-remaining", ""))
    tier = said.get("poly-ratelimit-tier", "").lower()[:40]
    is_signers = remaining is not None or bool(tier)
    wait_s = None
    if status == 429:
        reset = _number(said.get("poly-ratelimit-reset", ""))
        wait_s = _wait_s(_number(said.get("retry-after", "")), reset, now_s=now_s)
    if not is_signers and wait_s is None:
        return None
    cancels = kind is BudgetKind.CANCEL
    signer = SIGNER_CANCELS if cancels else SIGNER_ORDERS
    return LimitReading(
        bucket=signer if is_signers else _ROUTES[kind].name,
        remaining=remaining,
        wait_s=wait_s,
        tier=tier,
        is_warning=said.get("poly-ratelimit-warning", "").lower() == "true",
    )


def _wait_s(retry_after: Decimal | None, reset: Decimal | None, *, now_s: int) -> int:
    """Seconds to rest after a refusal: what it says, else until its moment, else one."""
    wanted = retry_after if retry_after is not None else (reset or 0) - now_s
    return min(WAIT_S_MAX, max(1, math.ceil(wanted)))


def _number(text: str) -> Decimal | None:
    if not text or len(text) > 20:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
