"""Venue code -> Gateway or stream of books: the one door to the adapters.

One gateway per process and venue, built at first use: HTTP pools must not be shared across a fork.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.db import DatabaseError

from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Refused
from venues.domain.exchanges import ExchangeDomain, SigningGateway
from venues.domain.gateway import Gateway
from venues.domain.streams import BookStream
from venues.domain.wallets import WalletGateway
from venues.selectors.exchanges import exchange_domains

Contracts = tuple[ExchangeDomain, ...]
CONTRACTS_READ_EVERY_S = 30.0


def _polymarket(contracts: Contracts) -> Gateway:
    config, gateway = _polymarket_modules()
    return gateway.Gateway(config.config_from(settings.POLYMARKET, contracts=contracts))


def _polymarket_starts() -> dict[int, Contracts]:
    from venues.adapters.polymarket.contracts import first_domains

    return first_domains()


def _polymarket_modules() -> tuple[Any, Any]:
    # Imported at first use: the venue's client takes about a second, and most processes never trade.
    from venues.adapters.polymarket import config, gateway

    return config, gateway


class _Built(NamedTuple):
    gateway: Gateway
    contracts: Contracts
    read_again_s: float


_BUILDERS: dict[str, Callable[[Contracts], Gateway]] = {"polymarket": _polymarket}
_STARTS: dict[str, Callable[[], dict[int, Contracts]]] = {"polymarket": _polymarket_starts}
_CHAINS: dict[str, Callable[[], int]] = {"polymarket": lambda: int(settings.POLYMARKET["chain_id"])}
_MODULES: dict[str, Callable[[], object]] = {"polymarket": _polymarket_modules}
_WITH_WALLET = frozenset({"polymarket"})
_built: dict[tuple[int, str], _Built] = {}


def venues_with_gateway() -> frozenset[str]:
    """Codes of the venues that orders can be sent to."""
    return frozenset(_BUILDERS)


def gateway_for(venue_code: str) -> Gateway:
    """The live line to `venue_code`. Raises Refused for a venue without one, or with faulty settings.

    It is built anew when the table of exchange contracts changed, which is read again every CONTRACTS_READ_EVERY_S.
    """
    if venue_code not in _BUILDERS:
        known = ", ".join(sorted(_BUILDERS))
        raise Refused(
            f"no gateway for venue {venue_code!r}; gateways exist for: {known}",
            code="no_gateway",
            field="venue",
        )
    key = (os.getpid(), venue_code)
    built = _built.get(key)
    if built is not None and monotonic_s() < built.read_again_s:
        return built.gateway
    contracts = _contracts_of(venue_code, known=built.contracts if built else ())
    is_current = built is not None and contracts == built.contracts
    gateway = built.gateway if built is not None and is_current else _BUILDERS[venue_code](contracts)
    _built[key] = _Built(gateway, contracts, monotonic_s() + CONTRACTS_READ_EVERY_S)
    return gateway


def _contracts_of(venue_code: str, *, known: Contracts) -> Contracts:
    """The table's rows for our chain; what was `known` while the database cannot be asked.

    Without any row the three contracts of the settings speak: an empty database has no table to go by.
    """
    try:
        return exchange_domains(venue_code, chain_id=_CHAINS[venue_code](), now=utc_now())
    except DatabaseError:
        return known


def signing_for(venue_code: str) -> SigningGateway:
    """The part of the live line that signs for contracts. Raises Refused for a venue without contracts."""
    if venue_code not in _STARTS:
        raise Refused(f"venue: orders at {venue_code} are not signed for a contract", field="venue")
    return cast(SigningGateway, gateway_for(venue_code))


def signing_starts(venue_code: str) -> dict[int, Contracts]:
    """Chain id -> the exchange contracts that the table starts from."""
    return _STARTS[venue_code]()


def venues_with_contracts() -> frozenset[str]:
    """Codes of the venues whose orders are signed for a contract."""
    return frozenset(_STARTS)


def wallet_for(venue_code: str) -> WalletGateway:
    """The live line to our wallet at `venue_code`. Raises Refused for a venue that keeps no money on a chain."""
    if venue_code not in _WITH_WALLET:
        raise Refused(
            f"venue: {venue_code} keeps no money on a chain; nothing is redeemed or approved there",
            field="venue",
        )
    return cast(WalletGateway, gateway_for(venue_code))


def venues_with_wallet() -> frozenset[str]:
    """Codes of the venues whose money is on a chain."""
    return _WITH_WALLET


def gateways_preload() -> None:
    """Import the adapters now: a worker that imports them at its first order makes that order wait for two seconds.

    What is loaded by then stays as long as the process, so the garbage collector is told not to look through it again:
    a full collection of 225,000 objects would stop a plan for a tenth of a second.
    """
    for load in _MODULES.values():
        load()
    gc.collect()
    gc.freeze()


def gateways_forget() -> None:
    """Drop what was built, so that changed settings take effect."""
    _built.clear()


def _polymarket_stream(name: str) -> BookStream:
    # Without the gateway's modules: reading needs neither the venue's client nor a key.
    from venues.adapters.polymarket import stream, stream_config

    found: BookStream = stream.MarketStream(stream_config.stream_config_from(settings.POLYMARKET), name=name)
    return found


def _polymarket_user_stream(name: str, on_order: Callable[[str], None]) -> BookStream:
    from venues.adapters.polymarket import stream_config, user_stream

    config = stream_config.user_stream_config_from(settings.POLYMARKET)
    found: BookStream = user_stream.UserStream(config, name=name, on_order=on_order)
    return found


def _polymarket_stream_size() -> int:
    from venues.adapters.polymarket import stream

    return stream.TOKENS_MAX


_STREAMS: dict[str, Callable[[str], BookStream]] = {"polymarket": _polymarket_stream}
_USER_STREAMS: dict[str, Callable[[str, Callable[[str], None]], BookStream]] = {
    "polymarket": _polymarket_user_stream
}
_STREAM_SIZES: dict[str, Callable[[], int]] = {"polymarket": _polymarket_stream_size}


def venues_with_stream() -> frozenset[str]:
    """Codes of the venues that stream their books."""
    return frozenset(_STREAMS)


def stream_for(venue_code: str, *, name: str) -> BookStream:
    """A new line of market data, not yet running. Raises Refused for a venue without one, or with faulty settings."""
    if venue_code not in _STREAMS:
        raise Refused(f"venue {venue_code!r} streams no books", code="no_stream", field="venue")
    return _STREAMS[venue_code](name)


def stream_size_max(venue_code: str) -> int:
    """How many instruments one line of `venue_code` carries."""
    return _STREAM_SIZES[venue_code]()


def user_stream_for(venue_code: str, *, name: str, on_order: Callable[[str], None]) -> BookStream:
    """A new line to what happens to our own orders, not yet running. Raises Refused like `stream_for`."""
    if venue_code not in _USER_STREAMS:
        raise Refused(f"venue {venue_code!r} streams no orders", code="no_stream", field="venue")
    return _USER_STREAMS[venue_code](name, on_order)
