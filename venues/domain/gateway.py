"""What every venue can be asked, and every answer it can give.

A gateway never guesses: `Rejected` needs the venue's own explicit no from its list of definitive refusals;
anything else that is not an acceptance is `Unknown`, because an order that we believe dead and that lives costs
money twice. Gateways make no database queries and keep no state that matters beyond the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from venues.domain.books import Book
from venues.domain.budgets import BudgetPlan, LimitReading
from venues.domain.instruments import InstrumentTerms


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class TimeInForce(StrEnum):
    """FAK: fill what crosses, kill the rest. FOK: all or nothing. GTD: rests until it expires.

    TX is no order of a book but a transaction of the chain: the redemption of a resolved market.
    """

    FAK = "FAK"
    FOK = "FOK"
    GTD = "GTD"
    TX = "TX"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """What we want to say to a venue.

    `notional_usd` is the most a BUY may spend before fees; `size` the most units a SELL may deliver (for a BUY: the
    units expected at `price_limit`). `price_limit` is the worst price per unit. `decision_key`, `generation` and
    `created_at` fix the order's identity: the same three give the same bytes.

    A GTD order rests until `expires_at`, which it must have and no other kind may; `post_only` (GTD only) makes the
    venue refuse an order that would take.
    """

    terms: InstrumentTerms
    side: Side
    time_in_force: TimeInForce
    size: Decimal
    notional_usd: Decimal
    price_limit: Decimal
    decision_key: str
    generation: int
    created_at: datetime
    post_only: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """An order whose identity and exact bytes are fixed, before anybody has sent it.

    `client_order_id` is the venue's own name for the order, known in advance. `size` and `notional_usd` are what the
    bytes say after the venue's rounding. `fence_at` is the moment after which the venue itself refuses the bytes
    (None where it has no such rule).
    """

    client_order_id: str
    payload: bytes
    salt: int | None
    size: Decimal
    notional_usd: Decimal
    price_limit: Decimal
    fence_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The venue has the order. `status` is its word; amounts are what it says traded so far (None: it did not say)."""

    venue_order_id: str
    status: str
    is_resting: bool = False
    trade_ids: tuple[str, ...] = ()
    size_matched: Decimal | None = None
    notional_usd_matched: Decimal | None = None


class PauseKind(StrEnum):
    """What a venue that says "not now" is doing. Look-ups work in each; what else works is said here.

    RESTART: nothing is taken. POST_ONLY: cancels, and orders that cannot take. CANCEL_ONLY: cancels only. DISABLED:
    nothing. RATE_LIMIT: orders wait; cancels have a limit of their own.
    """

    RESTART = "restart"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"
    RATE_LIMIT = "rate_limit"

    @property
    def takes_post_only(self) -> bool:
        """Whether an order that cannot take is accepted meanwhile."""
        return self is PauseKind.POST_ONLY

    @property
    def takes_cancels(self) -> bool:
        """Whether orders can be cancelled meanwhile."""
        return self in (PauseKind.POST_ONLY, PauseKind.CANCEL_ONLY, PauseKind.RATE_LIMIT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """The venue's own explicit no, from its list of definitive refusals: the order did not trade and never will.

    `is_pause` marks refusals that say "not now" (restart, cancel-only, rate limit): the decision stands, the venue
    rests for `retry_after_s` seconds, in the way `pause_kind` says. `is_ours` marks refusals of a malformed or
    unauthorised request, which need a person.
    """

    code: str
    message: str
    http_status: int | None = None
    is_pause: bool = False
    is_ours: bool = False
    retry_after_s: int | None = None
    pause_kind: PauseKind | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AlreadyKnown:
    """The venue has seen these bytes before. Neither success nor failure: look the order up."""

    message: str
    http_status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """No definitive answer. `reached_wire` is False only when it is certain that no byte of the request left us."""

    reason: str
    message: str = ""
    http_status: int | None = None
    reached_wire: bool = True
    retry_after_s: int | None = None


Outcome = Accepted | Rejected | AlreadyKnown | Unknown


class OrderState(StrEnum):
    """How a venue's report of one order reads in our words.

    PENDING promises nothing: a transaction in a node's pool may be mined, or forgotten.
    """

    LIVE = "live"
    PENDING = "pending"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReport:
    """What the venue says of one order. `venue_status` is its own word, kept as evidence."""

    client_order_id: str
    state: OrderState
    venue_status: str
    size_matched: Decimal
    trade_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """The venue answered authoritatively that it does not have the order *now*. Never proof by itself.

    `is_excluded`: a final authority says that its bytes can never take effect any more (the chain has used up the
    number that they carry).
    """

    client_order_id: str
    detail: str = ""
    is_excluded: bool = False


class Settlement(StrEnum):
    """Where a trade stands between match and money. Only CONFIRMED counts as held; FAILED never happened."""

    MATCHED = "matched"
    MINED = "mined"
    RETRYING = "retrying"
    CONFIRMED = "confirmed"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FillReport:
    """One trade of one of our orders. `price` per unit in USD; `fee_usd` what the venue charged us for it."""

    client_order_id: str
    venue_trade_id: str
    instrument_id: str
    side: Side
    size: Decimal
    price: Decimal
    notional_usd: Decimal
    fee_usd: Decimal
    settlement: Settlement
    matched_at: datetime
    transaction_hash: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionReport:
    """Units of an instrument that the venue says we hold."""

    instrument_id: str
    size: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class BalanceReport:
    """Money at the venue: `free` may be spent, `total` includes what open orders reserve."""

    currency: str
    total: Decimal
    allowances: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelReport:
    """Per order id: True when the venue says it is cancelled, else its reason, which is ambiguous until looked up."""

    cancelled: tuple[str, ...]
    not_cancelled: dict[str, str] = field(default_factory=dict)


class LookupFailed(Exception):
    """A read did not get an authoritative answer. Proves nothing about any order."""


class Gateway(Protocol):
    """The live line to one venue. Reads raise LookupFailed when the venue gave no authoritative answer."""

    venue_code: str
    can_resend: bool
    """True where posting the identical bytes again cannot trade twice (the venue deduplicates them)."""
    buy_spends_budget: bool
    """True where a taking BUY is capped by the money it may spend, not by the units it may receive."""
    batch_max: int
    """Most orders that one request may carry; 1 where the venue takes no batches."""

    def prepare(self, request: OrderRequest) -> Prepared:
        """Fix identity and bytes, without the network. Raises Refused when the venue's rules forbid the order."""

    def submit(self, payload: bytes) -> Outcome:
        """Send exactly these bytes, once, with no retry in any library."""

    def submit_batch(self, payloads: Sequence[bytes]) -> list[Outcome]:
        """Send at most `batch_max` payloads in one request, once: one outcome each, in their order.

        Each leg is judged alone; when the request as a whole got no answer, every leg has that same outcome.
        """

    def cancel(self, client_order_ids: Sequence[str]) -> CancelReport: ...

    def fetch_order(self, client_order_id: str) -> OrderReport | Absent: ...

    def fetch_fills(self, *, since: datetime, instrument_id: str | None = None) -> list[FillReport]: ...

    def fetch_fills_of_order(
        self, client_order_id: str, *, since: datetime, instrument_id: str
    ) -> list[FillReport]: ...

    def is_untouched(self, client_order_id: str) -> bool | None:
        """True when a final authority (the exchange contract) says that it never traded; None where there is none."""

    def fetch_open_orders(self) -> list[OrderReport]: ...

    def fetch_positions(self, instrument_ids: Sequence[str]) -> list[PositionReport]: ...

    def fetch_balances(self) -> list[BalanceReport]: ...

    def fetch_instruments(self, instrument_ids: Sequence[str]) -> list[InstrumentTerms]: ...

    def fetch_book(self, instrument_id: str) -> Book: ...

    def fetch_books(self, instrument_ids: Sequence[str]) -> dict[str, Book]:
        """Many books in as few requests as the venue allows; one that it does not give is left out."""

    def fetch_time(self) -> datetime:
        """The venue's clock."""

    def budget_plan(self, tier: str = ...) -> BudgetPlan:
        """What each kind of request takes from the venue's rate limits, for an account of this tier."""

    def take_limit_readings(self) -> list[LimitReading]:
        """What the answers since the last call said of our limits; gone once taken, and kept up to a maximum."""
