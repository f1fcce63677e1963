"""How much a caller may ask: a signer's two token buckets, and per-address windows in front of everything.

Source: docs.polymarket.com/api-reference/trading-rate-limits (buckets, costs, headers, warning mode) and
/api-reference/rate-limits (windows of ten seconds per address). Time is the exchange's own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from venues.simulators.polymarket.refusals import TOO_MANY, Refusal
from venues.simulators.polymarket.state import State

ENFORCE, WARNING, OFF = "enforce", "warning", "off"
MODES = (ENFORCE, WARNING, OFF)
WINDOW_SECONDS = 10
WINDOWS_MAX = 50
WINDOWS: tuple[tuple[str, str, int], ...] = (
    ("*", "/*", 15_000),
    ("*", "/clob/*", 9_000),
    ("POST", "/clob/order", 5_000),
    ("POST", "/clob/orders", 2_000),
    ("GET", "/clob/book", 1_500),
    ("POST", "/clob/books", 500),
    ("GET", "/clob/data/orders", 500),
    ("GET", "/clob/data/trades", 500),
    ("GET", "/clob/price", 1_500),
    ("POST", "/clob/prices", 500),
    ("GET", "/clob/midpoint", 1_500),
    ("POST", "/clob/midpoints", 500),
    ("GET", "/clob/tick-size", 200),
    ("GET", "/clob/balance-allowance", 200),
    ("GET", "/clob/balance-allowance/update", 50),
    ("*", "/clob/auth/api-key*", 100),
    ("*", "/gamma/*", 4_000),
    ("*", "/gamma/markets*", 300),
    ("*", "/gamma/events*", 500),
    ("*", "/gamma/public-search*", 350),
    ("*", "/data/*", 1_000),
    ("*", "/data/v2/positions*", 150),
)
"""(method, path, requests of one address in ten seconds)."""


@dataclass(kw_only=True, slots=True)
class Limits:
    """What is allowed; rates are tokens a second, bursts what a full bucket holds."""

    signers: str = WARNING
    addresses: str = WARNING
    tier: str = "standard"
    orders_per_second: float = 40.0
    orders_burst: float = 60.0
    cancels_per_second: float = 80.0
    cancels_burst: float = 120.0
    windows: list[tuple[str, str, int]] = field(default_factory=lambda: list(WINDOWS))


@dataclass(slots=True)
class Bucket:
    """Tokens left at a moment."""

    tokens: float
    at_ms: int


class Budgets:
    """Every signer's buckets and every address's windows; they begin full when the exchange starts."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.clear()

    def clear(self) -> None:
        """Take up the limits that were in force, with full buckets."""
        mode = self._state.config.limits
        kept = self._state.settings.get("limits") or {"signers": mode, "addresses": mode}
        self.limits = Limits(**kept)
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._seen: dict[tuple[str, int], deque[int]] = {}

    def change(self, body: dict[str, Any]) -> None:
        """Set limits; ValueError for a name or a value that makes no sense. The caller commits."""
        unknown = set(body) - set(Limits.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
        wanted = Limits(**{**asdict(self.limits), **body})
        if wanted.signers not in MODES or wanted.addresses not in MODES:
            raise ValueError(f"signers and addresses are one of {', '.join(MODES)}")
        for name in ("orders_per_second", "orders_burst", "cancels_per_second", "cancels_burst"):
            if not float(getattr(wanted, name)) > 0:
                raise ValueError(f"{name} must be above 0")
        wanted.windows = [(str(method), str(path), int(most)) for method, path, most in wanted.windows]
        if len(wanted.windows) > WINDOWS_MAX or any(most < 1 for _, _, most in wanted.windows):
            raise ValueError(f"at most {WINDOWS_MAX} windows of at least one request")
        self._state.settings["limits"] = asdict(wanted)
        self._state.save_settings()
        self.clear()

    def body(self) -> dict[str, Any]:
        """Return the limits in force as JSON-able values."""
        return asdict(self.limits)

    def charge(self, signer: str, *, bucket: str, cost: int) -> dict[str, str]:
        """Take `cost` tokens of a signer's `order` or `cancel` bucket and return the headers to answer with.

        All or nothing: a request that asks for more than there is takes none and is refused 429, or, in warning
        mode, is served and told so.
        """
        if self.limits.signers == OFF or cost < 1:
            return {}
        rate, burst = self._pace(bucket)
        held = self._refilled(signer, bucket)
        if cost <= held.tokens:
            held.tokens -= cost
            return self._headers(held, until_ms=held.at_ms)
        wait_ms = round((cost - held.tokens) / rate * 1000)
        headers = self._headers(held, until_ms=held.at_ms + wait_ms)
        if self.limits.signers == WARNING:
            return {**headers, "Poly-RateLimit-Warning": "true"}
        if cost <= burst:
            headers["Retry-After"] = str(max(-(-wait_ms // 1000), 1))
        raise Refusal(429, TOO_MANY, headers=headers)

    def charge_after(self, signer: str, *, bucket: str, cost: int) -> dict[str, str]:
        """Take what a request turned out to cost, never below zero, and return the headers to answer with."""
        if self.limits.signers == OFF:
            return {}
        held = self._refilled(signer, bucket)
        held.tokens = max(held.tokens - cost, 0.0)
        return self._headers(held, until_ms=held.at_ms)

    def admit(self, address: str, *, method: str, path: str) -> None:
        """Count a request of a network address; refuse 429 when one of its windows is full."""
        if self.limits.addresses == OFF:
            return
        now_ms = self._state.clock.now_ms()
        full = False
        for number, (wanted, pattern, most) in enumerate(self.limits.windows):
            if wanted not in ("*", method) or not fnmatchcase(path, pattern):
                continue
            seen = self._seen.setdefault((address, number), deque())
            while seen and not 0 <= now_ms - seen[0] < WINDOW_SECONDS * 1000:
                seen.popleft()
            full = full or len(seen) >= most
            if len(seen) < most:
                seen.append(now_ms)
        if full and self.limits.addresses == ENFORCE:
            raise Refusal(429, TOO_MANY, headers={"Retry-After": str(WINDOW_SECONDS)})

    def _pace(self, bucket: str) -> tuple[float, float]:
        if bucket == "order":
            return self.limits.orders_per_second, self.limits.orders_burst
        return self.limits.cancels_per_second, self.limits.cancels_burst

    def _refilled(self, signer: str, bucket: str) -> Bucket:
        rate, burst = self._pace(bucket)
        now_ms = self._state.clock.now_ms()
        held = self._buckets.setdefault((signer, bucket), Bucket(burst, now_ms))
        held.tokens = min(held.tokens + max(now_ms - held.at_ms, 0) / 1000 * rate, burst)
        held.at_ms = now_ms
        return held

    def _headers(self, held: Bucket, *, until_ms: int) -> dict[str, str]:
        return {
            "Poly-RateLimit-Remaining": str(int(held.tokens)),
            "Poly-RateLimit-Reset": str(-(-until_ms // 1000)),
            "Poly-RateLimit-Tier": self.limits.tier,
        }
