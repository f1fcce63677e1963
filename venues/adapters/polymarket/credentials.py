"""The key, secret and passphrase that the venue gave us, and the headers that prove we hold them.

Headers are made at the moment of sending, for they carry the time; the order in the body never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import build_hmac_signature


@dataclass(frozen=True, slots=True)
class Credentials:
    """What `POLYMARKET_API_KEY`, `POLYMARKET_SECRET` and `POLYMARKET_PASSPHRASE` should hold."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


def l2_headers(
    config: PolymarketConfig, *, method: str, path: str, body: bytes, now_s: int
) -> dict[str, str]:
    """The headers of one request: HMAC-SHA256 over time, method, path without its query, and the exact body.

    POLY_ADDRESS is the key's own address even when a deposit wallet is the maker
    (docs.polymarket.com/trading/wallets-auth).
    """
    signature = build_hmac_signature(
        secret=config.secret,
        timestamp=now_s,
        method=method,
        path=path,
        body=body.decode("utf-8") if body else None,
    )
    return {
        "POLY_ADDRESS": config.signer,
        "POLY_SIGNATURE": signature,
        "POLY_TIMESTAMP": str(now_s),
        "POLY_API_KEY": config.api_key,
        "POLY_PASSPHRASE": config.passphrase,
    }
