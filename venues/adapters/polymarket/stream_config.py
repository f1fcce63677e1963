"""Where the market data of Polymarket is; a mixture of practice and production is refused at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.config import is_production_host

SETTING_NAMES: Final = {
    "clob_url": "POLYMARKET_CLOB_API_URL",
    "clob_market_ws_url": "POLYMARKET_MARKET_WS_URL",
    "clob_user_ws_url": "POLYMARKET_USER_WS_URL",
    "api_key": "POLYMARKET_API_KEY",
    "secret": "POLYMARKET_SECRET",
    "passphrase": "POLYMARKET_PASSPHRASE",
}
_WEB, _SOCKET = ("http", "https"), ("ws", "wss")
_SCHEMES: Final = {"clob_url": _WEB, "clob_market_ws_url": _SOCKET, "clob_user_ws_url": _SOCKET}
_CREDENTIALS: Final = ("api_key", "secret", "passphrase")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamConfig:
    """Two addresses of one exchange: its WebSocket, and the REST books that check it."""

    clob_market_ws_url: str
    clob_url: str

    @property
    def is_loopback(self) -> bool:
        """Whether the exchange is on this machine, so that no proxy is asked."""
        return urlsplit(self.clob_url).hostname in _LOOPBACK


@dataclass(frozen=True, kw_only=True, slots=True)
class UserStreamConfig:
    """The private channel's address, and who we are there."""

    clob_user_ws_url: str
    clob_url: str
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)

    @property
    def is_loopback(self) -> bool:
        """Whether the exchange is on this machine, so that no proxy is asked."""
        return urlsplit(self.clob_url).hostname in _LOOPBACK


def user_stream_config_from(settings: Mapping[str, object]) -> UserStreamConfig:
    """Address and credentials in `settings`. Raises Refused naming the environment variable and the remedy."""
    urls = _one_exchange(settings, "clob_user_ws_url")
    told = {name: str(settings.get(name) or "").strip() for name in _CREDENTIALS}
    for name, value in told.items():
        if not value:
            raise _refused(name, "is missing; `manage.py venue_credentials` makes the three of them")
    return UserStreamConfig(**urls, **told)


def stream_config_from(settings: Mapping[str, object]) -> StreamConfig:
    """The addresses in `settings`. Raises Refused naming the environment variable and the remedy."""
    return StreamConfig(**_one_exchange(settings, "clob_market_ws_url"))


def _one_exchange(settings: Mapping[str, object], socket: str) -> dict[str, str]:
    urls = {name: _url(settings, name) for name in ("clob_url", socket)}
    is_production = {name: is_production_host(url) for name, url in urls.items()}
    if len(set(is_production.values())) > 1:
        raise _refused(
            socket,
            f"and {SETTING_NAMES['clob_url']} name two exchanges, one of them Polymarket's own; "
            "books of one must never be checked against the other",
        )
    if is_production["clob_url"] and settings.get("live_allowed") is not True:
        raise _refused(
            socket,
            "is the live exchange; it needs TRADING_ENVIRONMENT=LIVE and LIVE_TRADING_ALLOWED",
        )
    return urls


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
