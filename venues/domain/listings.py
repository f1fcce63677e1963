"""A market as a search finds it: what a person may be asked about; no term of trade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketListing:
    """One market that a search found; nothing is traded on it before a person has approved a mapping.

    `outcomes` are (label, instrument id) pairs in the venue's order, `version` its word for the market's protocol
    ("v1", "v2"; empty: unsaid), `resolution_status` its word for how far the answer is.
    """

    market_id: str
    condition_id: str
    slug: str
    question: str
    description: str
    outcomes: tuple[tuple[str, str], ...]
    accepting_orders: bool
    closed: bool
    end_at: datetime | None
    neg_risk: bool = False
    version: str = ""
    tags: tuple[str, ...] = ()
    resolution_status: str = ""
