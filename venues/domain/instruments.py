"""The terms on which something trades, as the venue states them; read per market, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class InstrumentTerms:
    """One tradable outcome, contract or layer of cover.

    `instrument_id` is the venue's name of what trades (Polymarket: outcome token id). Prices are USD per unit and whole
    multiples of `tick_size`; `size_min` is in units, `notional_usd_min` in USD for orders that take liquidity.
    The fee on a taking fill is `size * fee_rate * (price*(1-price))**fee_exponent` USD
    (docs.polymarket.com/trading/fees). `exchange_domain` is the version of the venue's signing domain,
    `resolution_status` the venue's word for how far the answer is (empty: not begun).
    """

    venue_code: str
    instrument_id: str
    condition_id: str
    market_id: str
    slug: str
    question: str
    description: str
    outcome: str
    tick_size: Decimal
    size_min: Decimal
    notional_usd_min: Decimal
    fee_rate: Decimal
    fee_exponent: int
    neg_risk: bool
    exchange_domain: str
    accepting_orders: bool
    closed: bool
    end_at: datetime | None
    resolution_status: str = ""
