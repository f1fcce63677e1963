"""Starts the practice exchange as a process and speaks to its admin door."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper
from tonsurance.launch.ports import LOOPBACK

STAGE = 1
READY_S_MAX = 60
ANSWER_S_MAX = 20
POLL_S = 0.05

# The names that settings read, for the names the exchange tells.
URL_NAMES = {
    "POLYMARKET_CLOB_API_URL": "clob_url",
    "POLYMARKET_GAMMA_API_URL": "gamma_url",
    "POLYMARKET_DATA_API_URL": "data_url",
    "POLYMARKET_RELAYER_URL": "relayer_url",
    "POLYMARKET_RPC_URL": "rpc_url",
    "POLYMARKET_GEOBLOCK_URL": "geoblock_url",
    "POLYMARKET_MARKET_WS_URL": "clob_market_ws_url",
    "POLYMARKET_USER_WS_URL": "clob_user_ws_url",
}
CONTRACT_NAMES = {
    "POLYMARKET_CHAIN_ID": "chain_id",
    "POLYMARKET_EXCHANGE_ADDRESS": "standard_exchange",
    "POLYMARKET_NEG_RISK_EXCHANGE_ADDRESS": "neg_risk_exchange",
    "POLYMARKET_EXCHANGE_V3_ADDRESS": "exchange_v3",
}


@dataclass(frozen=True)
class PracticeExchange:
    """A running practice exchange: where it listens, and the process."""

    base_url: str
    child: Child

    def get(self, path: str) -> dict[str, Any]:
        """What GET `/admin/<path>` answers. Raises LaunchFailed with the exchange's sentence."""
        return self._call(urllib.request.Request(f"{self.base_url}/admin/{path}"))

    def post(self, path: str, /, **body: object) -> dict[str, Any]:
        """What POST `/admin/<path>` answers. Raises LaunchFailed with the exchange's sentence."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return self._call(urllib.request.Request(f"{self.base_url}/admin/{path}", data=data, headers=headers))

    def environment(self) -> dict[str, str]:
        """The variables that point settings at this exchange."""
        info = self.get("info")
        urls = {name: str(info["urls"][told]) for name, told in URL_NAMES.items()}
        contracts = {name: str(info["contracts"][told]) for name, told in CONTRACT_NAMES.items()}
        return urls | contracts

    def _call(self, request: urllib.request.Request) -> dict[str, Any]:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=ANSWER_S_MAX) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as refused:
            raise LaunchFailed(
                f"the practice exchange said {refused.code}: {refused.read().decode()}"
            ) from refused
        except OSError as failure:
            raise LaunchFailed(f"the practice exchange does not answer: {failure}") from failure
        return answer


def practice_exchange_start(
    keeper: Keeper,
    *,
    home: Path,
    log: Path,
    environment: Mapping[str, str],
    port: int = 0,
    options: tuple[str, ...] = (),
) -> PracticeExchange:
    """Start it with its state in `home` and wait until it listens. Raises LaunchFailed."""
    home.mkdir(parents=True, exist_ok=True)
    port_file = home / "port"
    port_file.unlink(missing_ok=True)
    child = keeper.spawn(
        "practice exchange",
        [
            *(sys.executable, "-m", "venues.simulators.polymarket", "--port", str(port)),
            *("--port-file", str(port_file), "--state", str(home / "state.sqlite"), *options),
        ],
        log=log,
        environment=environment,
        stage=STAGE,
    )
    deadline = time.monotonic() + READY_S_MAX
    while not port_file.exists():
        if child.process.poll() is not None:
            raise LaunchFailed(f"the practice exchange did not start:\n{child.last_words()}")
        if time.monotonic() > deadline:
            raise LaunchFailed(
                f"the practice exchange was not ready after {READY_S_MAX} s:\n{child.last_words()}"
            )
        time.sleep(POLL_S)
    return PracticeExchange(base_url=f"http://{LOOPBACK}:{port_file.read_text().strip()}", child=child)
