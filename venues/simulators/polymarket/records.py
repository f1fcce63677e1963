"""The things the exchange remembers: markets, orders, trades, accounts and keys.

Each is a dataclass of JSON-able fields, so that a row on disk is `asdict(record)` and nothing is lost on a
restart. Sizes and money are millionths (`_e6`), prices ten-thousandths (`_e4`), times epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BUY = "BUY"
SELL = "SELL"
LIVE = "LIVE"
MATCHED = "MATCHED"
CANCELED = "CANCELED"
KILLED = "KILLED"
"""Ours, never on the wire: accepted by the engine and killed without a fill; only its hash is remembered."""
CANCELED_RESOLVED = "CANCELED_MARKET_RESOLVED"
CANCELED_EXPIRED = "CANCELED_EXPIRED_ORDER"
DELAYED = "DELAYED"
UNMATCHED = "UNMATCHED"

TRADE_MATCHED = "MATCHED"
TRADE_MINED = "MINED"
TRADE_CONFIRMED = "CONFIRMED"
TRADE_RETRYING = "RETRYING"
TRADE_FAILED = "FAILED"


@dataclass(slots=True, kw_only=True)
class Market:
    """One binary question; `token_ids` and `outcomes` are YES first."""

    condition_id: str
    question_id: str
    gamma_id: str
    slug: str
    question: str
    description: str
    resolution_source: str
    token_ids: list[str]
    outcomes: list[str]
    tick_e4: int
    min_size_e6: int
    neg_risk: bool
    fee_rate: str
    fee_exponent: int
    started_at: str
    ends_at: str
    event_id: str
    event_slug: str
    event_title: str
    version: str = "v1"
    seconds_delay: float = 0.0
    tags: list[str] = field(default_factory=list)
    group_title: str = ""
    neg_risk_market_id: str = ""
    accepting_orders: bool = True
    closed: bool = False
    closed_at: int = 0
    payout_e6: list[int] = field(default_factory=list)
    last_price_e4: int = 0
    last_side: str = ""
    volume_e6: int = 0

    def index(self, token_id: str) -> int:
        """Return 0 for the YES token and 1 for the NO token."""
        return self.token_ids.index(token_id)


@dataclass(slots=True, kw_only=True)
class Order:
    """One accepted order; `price_e4` is the worst price in its own token, `size_e6` its shares.

    A FAK or FOK BUY is a budget of `maker_amount` pUSD, so its `size_e6` is only what it asked at least.
    """

    id: str
    condition_id: str
    token_id: str
    maker: str
    signer: str
    owner: str
    side: str
    maker_amount: int
    taker_amount: int
    price_e4: int
    size_e6: int
    order_type: str
    expiration: int
    signature_type: int
    created_at: int
    sequence: int = 0
    post_only: bool = False
    synthetic: bool = False
    delayed_until: int = 0
    fails_delay: bool = False
    status: str = LIVE
    matched_e6: int = 0
    cash_e6: int = 0
    mined_making: int = 0
    trade_ids: list[str] = field(default_factory=list)

    @property
    def is_budget(self) -> bool:
        """Whether `maker_amount` is pUSD to spend rather than shares to reach."""
        return self.side == BUY and self.order_type in ("FAK", "FOK")

    @property
    def remaining_e6(self) -> int:
        """Shares still resting."""
        return self.size_e6 - self.matched_e6


@dataclass(slots=True, kw_only=True)
class Leg:
    """One party's half of a trade: cash is what it pays (BUY) or gets (SELL), before its fee."""

    order_id: str
    address: str
    owner: str
    token_id: str
    outcome: str
    side: str
    size_e6: int
    price_e4: int
    cash_e6: int
    fee_e6: int = 0


@dataclass(slots=True, kw_only=True)
class Trade:
    """One settlement unit: a taker's fill at one price against one or more makers. `legs[0]` is the taker."""

    id: str
    condition_id: str
    legs: list[Leg]
    status: str
    matched_at: int
    updated_at: int
    due_at: int
    sequence: int
    attempts: int = 0
    transaction_hash: str = ""
    script: list[str] = field(default_factory=list)

    @property
    def is_applied(self) -> bool:
        """Whether the balances have moved."""
        return self.status in (TRADE_MINED, TRADE_CONFIRMED)

    @property
    def is_open(self) -> bool:
        """Whether the chain has still to say its last word."""
        return self.status not in (TRADE_CONFIRMED, TRADE_FAILED)


@dataclass(slots=True, kw_only=True)
class Position:
    """Shares of one token held by one account, with what they cost."""

    size_e6: int = 0
    bought_e6: int = 0
    cost_e6: int = 0
    fees_e6: int = 0
    realized_e6: int = 0
    first_at: int = 0
    last_at: int = 0


@dataclass(slots=True, kw_only=True)
class Account:
    """A wallet. `unseen_e6` is pUSD on chain that the exchange's cache has not read yet.

    `approved` holds for every spender that `allowances` (pUSD, by spender) and `operators` (shares, by
    "ledger:operator") do not name; addresses are in lower case.
    """

    address: str
    owner: str
    signature_type: int
    pusd_e6: int = 0
    unseen_e6: int = 0
    funded_e6: int = 0
    fees_paid_e6: int = 0
    approved: bool = True
    allowances: dict[str, str] = field(default_factory=dict)
    operators: dict[str, bool] = field(default_factory=dict)
    standing: str = "open"
    sessions: list[str] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    nonce: int = 0
    """How many transactions of the wallet were mined (an EOA), or batches executed (a deposit wallet)."""
    pol_wei: int = 10 * 10**18
    usdc_e6: int = 0
    usdce_e6: int = 0


@dataclass(slots=True, kw_only=True)
class ApiKey:
    """L2 credentials of one EOA."""

    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int
    generation: int = 0
    active: bool = True
    heartbeat_id: str = ""
    heartbeat_at: int = 0
