"""Who we are at Polymarket, asked piece by piece: one that cannot be read is named, and the others still count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.money import from_micro
from venues.adapters.polymarket import wire
from venues.adapters.polymarket.approvals import approvals_read
from venues.adapters.polymarket.client import NoAnswer, PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import is_derived_wallet
from venues.adapters.polymarket.node import Reverted, selector, word
from venues.adapters.polymarket.questions import Questions
from venues.adapters.polymarket.transactions import Transactions
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.accounts import AccountReport

T = TypeVar("T")
_BALANCE_OF = selector("balanceOf(address)")
BOOK, NODE = "the order book", "the chain's node"


class Account:
    """The account of one configuration. A service that was silent once is not asked again in the same report."""

    def __init__(
        self, client: PolymarketClient, config: PolymarketConfig, ask: Questions, wallet: Transactions
    ) -> None:
        self._client = client
        self._config = config
        self._ask = ask
        self._wallet = wallet

    def report(self) -> AccountReport:
        """Everything that can be found out now. Never raises for a silent venue: what is missing is named."""
        unread: list[str] = []
        silent: set[str] = set()

        def piece(name: str, service: str, read: Callable[[], T]) -> T | None:
            if service in silent:
                unread.append(f"{name}: not asked, {service} gives no answer")
                return None
            try:
                return read()
            except NoAnswer as silence:
                silent.add(service)
                unread.append(f"{name}: {silence}")
            except (Unreadable, Reverted) as error:
                unread.append(f"{name}: {error}")
            return None

        place = piece("geoblock", "the geoblock probe", self._place) or {}
        has_key = self._config.has_credentials
        standing = piece("standing", BOOK, self._standing) if has_key else None
        if not has_key:
            unread.append("standing: no API key is set")
        return AccountReport(
            wallet=self._config.wallet,
            signer=self._config.signer,
            signature_type=self._config.signature_type,
            is_geoblocked=place.get("blocked"),
            country=str(place.get("country") or ""),
            region=str(place.get("region") or ""),
            is_closed_only=standing[0] if standing else None,
            is_banned=standing[1] if standing else None,
            is_key_valid=piece("API key", BOOK, self._is_key_valid) if has_key else None,
            is_wallet_ours=is_derived_wallet(self._config),
            clock_offset_s=piece("clock", BOOK, self._clock_offset_s),
            balances=piece("balances", NODE, self._balances) or {},
            seen_usd=piece("balance at the order book", BOOK, self._seen_usd) if has_key else None,
            approvals=piece("approvals", NODE, self._approvals) or (),
            unread=tuple(unread),
        )

    def refresh(self) -> None:
        """Let the order book read the wallet's money from the chain again. Raises NoAnswer, Unreadable."""
        params = {"asset_type": "COLLATERAL", "signature_type": str(self._config.signature_type)}
        answer = self._client.read_own("/balance-allowance/update", params=params)
        if answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")

    def _place(self) -> dict[str, Any]:
        answer = self._client.read(self._config.geoblock_url)
        if answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")
        body = wire.mapping(wire.read_json(answer.body), name="geoblock")
        if not isinstance(body.get("blocked"), bool):
            raise Unreadable("it does not say whether we are blocked")
        return body

    def _standing(self) -> tuple[bool, bool]:
        """(only closing is allowed, banned). A banned account is told so in the refusal of the question."""
        answer = self._client.read_own("/auth/ban-status/closed-only")
        if b"banned" in answer.body:
            return False, True
        if answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")
        said = wire.mapping(wire.read_json(answer.body), name="standing").get("closed_only")
        if not isinstance(said, bool):
            raise Unreadable("closed_only is missing")
        return said, False

    def _is_key_valid(self) -> bool:
        answer = self._client.read_own("/auth/api-keys")
        if answer.status == 401:
            return False
        if answer.status != 200:
            raise Unreadable(f"HTTP {answer.status}")
        keys = wire.array(
            wire.mapping(wire.read_json(answer.body), name="keys").get("apiKeys"), name="apiKeys"
        )
        names = {str(key.get("apiKey") if isinstance(key, dict) else key).lower() for key in keys}
        return self._config.api_key.lower() in names

    def _clock_offset_s(self) -> float:
        before = utc_now()
        theirs: datetime = wire.moment(self._ask.clob("/time"), name="time")
        after = utc_now()
        return (theirs - (before + (after - before) / 2)).total_seconds()

    def _balances(self) -> dict[str, Decimal]:
        node, contracts = self._wallet.node, self._wallet.contracts
        tokens = {
            "pUSD": contracts.collateral,
            "USDC.e": contracts.bridged_usdc,
            "USDC": contracts.native_usdc,
        }
        held = {
            name: from_micro(node.call(token, _BALANCE_OF + word(self._config.wallet)))
            for name, token in tokens.items()
        }
        gas = Decimal(node.number("eth_getBalance", [self._config.signer, "latest"]))
        return held | {"POL": (gas / 10**18).quantize(Decimal("1e-6"))}

    def _seen_usd(self) -> Decimal:
        params = {"asset_type": "COLLATERAL", "signature_type": str(self._config.signature_type)}
        body = wire.mapping(self._ask.clob("/balance-allowance", params, is_signed=True), name="balance")
        return wire.base_units(body.get("balance"), name="balance")

    def _approvals(self) -> Any:
        return approvals_read(self._wallet.node, self._config, self._wallet.contracts)
