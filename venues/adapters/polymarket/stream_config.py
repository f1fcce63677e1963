"""Where the market data of Polymarket is; a mixture of practice and production is refused at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import is_production_host

SETTING_NAMES: Final = {
    "clob_url": "POLYMARKET_CLOB_API_URL",
    "market_ws_url": "POLYMARKET_MARKET_WS_URL",
}
_SCHEMES: Final = {"clob_url": ("http", "https"), "market_ws_url": ("ws", "wss")}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamConfig:
    """Two addresses of one exchange: its WebSocket, and the REST books that check it."""

    market_ws_url: str
    clob_url: str

    @property
    def is_loopback(self) -> bool:
        """Whether the exchange is on this machine, so that no proxy is asked."""
        return urlsplit(self.clob_url).hostname in _LOOPBACK


def stream_config_from(settings: Mapping[str, object]) -> StreamConfig:
    """The addresses in `settings`. Raises Refused naming the environment variable and the remedy."""
    urls = {name: _url(settings, name) for name in SETTING_NAMES}
    is_production = {name: is_production_host(url) for name, url in urls.items()}
    if len(set(is_production.values())) > 1:
        raise _refused(
            "market_ws_url",
            f"and {SETTING_NAMES['clob_url']} name two exchanges, one of them Polymarket's own; "
            "books of one must never be checked against the other",
        )
    if is_production["clob_url"] and settings.get("live_allowed") is not True:
        raise _refused(
            "market_ws_url",
            "is the live exchange; it needs TRADING_ENVIRONMENT=LIVE and LIVE_TRADING_ALLOWED",
        )
    return StreamConfig(**urls)


def _url(settings: Mapping[str, object], name: str) -> str:
    text = str(settings.get(name) or "").strip().rstrip("/")
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in _SCHEMES[name] and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        schemes = " or ".join(f"{word}://" for word in _SCHEMES[name])
        raise _refused(name, f"must be an address that begins with {schemes}")
    return text


def _refused(name: str, message: str) -> Refused:
    setting = SETTING_NAMES[name]
    return Refused(f"{setting}: {message}", code="polymarket_settings", field=setting)
