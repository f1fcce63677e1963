"""The venue's relayer, which pays a deposit wallet's gas: the wallet's next number, submitting, how far it is."""

from __future__ import annotations

from typing import Any, NamedTuple

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import Answer, PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.wire import Unreadable


class Relayed(NamedTuple):
    """One submitted batch as the relayer tells it. `state` is its word without the prefix."""

    state: str
    transaction_hash: str
    reason: str


class Relay:
    """The relayer of one configuration. Reads raise NoAnswer and Unreadable."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig) -> None:
        self._client = client
        self._config = config

    def require_key(self) -> None:
        """Raise Refused when no key was set: the relayer answers nobody without one."""
        if not self._config.relayer_api_key:
            raise Refused(
                "POLYMARKET_RELAYER_API_KEY: a deposit wallet acts through the venue's relayer, which asks for a key; "
                "make one on the venue's website and set it",
                code="relayer_key_missing",
                field="POLYMARKET_RELAYER_API_KEY",
            )

    def nonce(self) -> int:
        """The number of the wallet's next batch: how many were executed."""
        body = self._read(
            "/v1/account/transactions/params", {"address": self._config.signer, "type": "WALLET"}
        )
        return wire.whole(body.get("nonce"), name="nonce")

    def submit(self, body: bytes) -> Answer:
        """Hand a signed batch to the relayer, once."""
        return self._client.post_once(f"{self._config.relayer_url}/submit", body, key=self._headers())

    def transaction(self, relay_id: str) -> Relayed:
        body = self._read(f"/v1/account/transactions/{relay_id}", {})
        return Relayed(
            state=wire.text(body.get("state"), name="state").removeprefix("STATE_"),
            transaction_hash=str(body.get("transaction_hash") or "").lower(),
            reason=str(body.get("error_msg") or ""),
        )

    def _headers(self) -> dict[str, str]:
        return {
            "RELAYER_API_KEY": self._config.relayer_api_key,
            "RELAYER_API_KEY_ADDRESS": self._config.signer,
        }

    def _read(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        answer = self._client.read(self._config.relayer_url + path, params=params, key=self._headers())
        if answer.status != 200:
            raise Unreadable(f"the relayer answered HTTP {answer.status}")
        return wire.mapping(wire.read_json(answer.body), name="answer")
