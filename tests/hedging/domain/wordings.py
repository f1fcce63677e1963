"""Markets in the words that the venue published, and variants of them that a searcher may meet."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hedging.domain.discovery import Horizon
from policies.domain.catalogue import CoverageType
from venues.domain.listings import MarketListing

YEAR_END_2026 = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
YEAR_END_2027 = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
TODAY = date(2026, 11, 21)
POLICIES_END = date(2027, 2, 19)
HORIZON = Horizon(today=TODAY, policies_end_on=dict.fromkeys(CoverageType, POLICIES_END))


def listing(question: str, description: str, **values: Any) -> MarketListing:
    """An open market with a Yes and a No token that runs until the end of 2027."""
    told: dict[str, Any] = {
        "market_id": "1343533",
        "condition_id": "0xc0ffee",
        "slug": "a-market",
        "outcomes": (("Yes", "111"), ("No", "222")),
        "accepting_orders": True,
        "closed": False,
        "end_at": YEAR_END_2027,
    }
    return MarketListing(question=question, description=description, **(told | values))


USDC_2026 = listing(
    "USDC depeg by December 31?",
    "This market will resolve to “Yes” immediately if all Pyth 1-minute candles for USDC-USD for any 24-hour "
    "period are below 98 cents, for candles between 27 Oct ’25 15:00 and 31 Dec ’26 23:59 ET. Otherwise, this "
    "market will resolve to “No.” Below 98 cents means all candles in the period have a final “High” price below "
    "0.98000 (i.e., 0.97999 or lower). A 24-hour period of USDC below 98 cents that starts on the last day in 2026 "
    "will count. The resolution source for this market is TradingView, specifically the USDC-USD “High” prices.",
    slug="usdc-depeg-by-december-31-968",
    end_at=YEAR_END_2026,
)
USDE_2026 = listing(
    "USDE depeg by December 31?",
    'This market will resolve to "Yes" if all 1-minute candles for USDe/USD for any 24-hour period are below 98 '
    "cents between this market's creation and December 31, 2026, 11:59 PM ET. Otherwise, this market will resolve "
    'to "No". The '
    "resolution source for this market is a consensus of credible sources.",
    slug="usde-depeg-by-december-31-434",
    end_at=YEAR_END_2026,
)
CEX_2026 = listing(
    "Major CEX insolvent in 2026?",
    'This market will resolve to "Yes" if any of Binance, Coinbase, OKX, Bybit or Kraken becomes insolvent or files '
    "for bankruptcy between January 1, 2026 and December 31, 2026, 11:59 PM ET. "
    'Otherwise, this market will resolve to "No".',
    slug="major-cex-insolvent-in-2026",
    end_at=YEAR_END_2026,
)
HACK_2026 = listing(
    "Another crypto hack over $100M before 2027?",
    'This market will resolve to "Yes" if another hack or exploit of over $100 million of crypto occurs between this '
    'market\'s creation and December 31, 2026, 11:59 PM ET. Otherwise, this market will resolve to "No".',
    slug="another-crypto-hack-over-100m-before-2027",
    end_at=YEAR_END_2026,
)
MARKET_CAP = listing(
    "Will USDC hit 50% of USDT market cap by December 31, 2026?",
    'This market will resolve to "Yes" if the market cap of USDC is at least 50% of that of USDT. Otherwise "No".',
    slug="will-usdc-hit-50-of-usdt-market-cap-by-december-31-2026",
)
STABLECOINS_500B = listing(
    "Will stablecoins hit $500B before 2027?",
    'This market will resolve to "Yes" if the total market cap of stablecoins exceeds $500 billion. Otherwise "No".',
    slug="will-stablecoins-hit-500b-before-2027",
)


def depeg(
    clause: str, *, question: str = "USDC depeg by December 31, 2027?", label: str = "Yes", **values: Any
) -> MarketListing:
    """A depeg market whose rules say that `label` is paid if `clause`."""
    return listing(
        question,
        f'This market will resolve to "{label}" if {clause}. Otherwise, it resolves the other way.',
        **values,
    )
