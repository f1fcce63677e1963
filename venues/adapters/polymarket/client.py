"""The one place that speaks HTTP with Polymarket: one POST per order, bounded reads, no redirects.

No library retries anything here: connections are tried once, redirects are not followed, and only reads are
repeated, by us. The connection pool is built in the process that uses it, never shared across a fork.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx
import stamina

from tonsurance.kernel.clock import epoch_ms, monotonic_s, utc_now
from venues.adapters.polymarket.budgets import reading_of
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.credentials import l2_headers
from venues.adapters.polymarket.limits import (
    ANSWER_BYTES_MAX,
    KEEPALIVE_S,
    ORDER_TIMEOUTS,
    READ_ATTEMPTS_MAX,
    READ_RETRY_S_MAX,
    READ_TIMEOUTS,
    Timeouts,
)
from venues.domain.budgets import LimitReading

ORDER_PATH = "/order"
BATCH_PATH = "/orders"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
# Not 429: a venue that limits us is not asked again at once.
_BUSY = frozenset({425, 500, 502, 503, 504})
_READINGS_MAX = 1000
# Raised before a connection stands, so before a byte of the request can have left.
_BEFORE_THE_WIRE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The request ended without a usable answer. `reached_wire` is False only when no byte can have left."""

    def __init__(self, reason: str, message: str, *, reached_wire: bool = True) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.reached_wire = reached_wire


class PolymarketClient:
    """Requests to the hosts of one configuration. Safe to use from several threads."""

    def __init__(self, config: PolymarketConfig, *, order_timeouts: Timeouts = ORDER_TIMEOUTS) -> None:
        self._config = config
        self._order_timeouts = order_timeouts
        self._pools: dict[int, httpx.Client] = {}
        self._readings: deque[LimitReading] = deque(maxlen=_READINGS_MAX)

    def post_order(self, payload: bytes) -> Answer:
        """Send the bytes once, with authentication headers made now. Raises NoAnswer."""
        return self._post_once(ORDER_PATH, payload)

    def post_orders(self, body: bytes) -> Answer:
        """Send a batch once, as `post_order`: one signature of the account over the whole body."""
        return self._post_once(BATCH_PATH, body)

    def delete(self, path: str, body: bytes) -> Answer:
        """Cancel by id: idempotent, so repeated like a read. Raises NoAnswer."""
        url = self._config.clob_url + path
        return _repeated(
            lambda: self._send(
                "DELETE", url, _JSON | self._signed("DELETE", path, body), body, timeouts=READ_TIMEOUTS
            )
        )

    def read(
        self, url: str, *, params: Mapping[str, Any] | None = None, key: Mapping[str, str] | None = None
    ) -> Answer:
        """GET without our account's signature, repeated while the venue is busy or silent. Raises NoAnswer."""
        headers = {"Accept": "application/json"} | dict(key or {})
        return _repeated(lambda: self._send("GET", url, headers, b"", params=params, timeouts=READ_TIMEOUTS))

    def read_own(self, path: str, *, params: Mapping[str, Any] | None = None) -> Answer:
        """GET of our account at the order book, repeated as `read`; the query is not signed."""
        url = self._config.clob_url + path

        def once() -> Answer:
            headers = {"Accept": "application/json"} | self._signed("GET", path, b"")
            return self._send("GET", url, headers, b"", params=params, timeouts=READ_TIMEOUTS)

        return _repeated(once)

    def post_read(self, url: str, body: bytes) -> Answer:
        """A question that changes nothing but travels as POST (JSON-RPC). Raises NoAnswer."""
        return _repeated(lambda: self._send("POST", url, _JSON, body, timeouts=READ_TIMEOUTS))

    def post_once(self, url: str, body: bytes, *, key: Mapping[str, str] | None = None) -> Answer:
        """Send bytes to another service of the venue (a node, the relayer), once. Raises NoAnswer."""
        return self._send("POST", url, _JSON | dict(key or {}), body, timeouts=self._order_timeouts)

    def take_limit_readings(self) -> list[LimitReading]:
        """What the answers since the last call said of our rate limits, oldest first."""
        taken = []
        while self._readings:
            taken.append(self._readings.popleft())
        return taken

    def close(self) -> None:
        """Close this process's connections."""
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _post_once(self, path: str, body: bytes) -> Answer:
        headers = _JSON | self._signed("POST", path, body)
        return self._send("POST", self._config.clob_url + path, headers, body, timeouts=self._order_timeouts)

    def _signed(self, method: str, path: str, body: bytes) -> dict[str, str]:
        now_s = epoch_ms(utc_now()) // 1000
        return l2_headers(self._config, method=method, path=path, body=body, now_s=now_s)

    def _pool(self) -> httpx.Client:
        pid = os.getpid()
        if pid not in self._pools:
            # A parent's sockets must not be closed from here: they are still in use over there.
            self._pools[pid] = httpx.Client(
                transport=httpx.HTTPTransport(
                    retries=0, limits=httpx.Limits(max_connections=20, keepalive_expiry=KEEPALIVE_S)
                ),
                follow_redirects=False,
                trust_env=False,
            )
        return self._pools[pid]

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        *,
        timeouts: Timeouts,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        deadline_s = monotonic_s() + timeouts.total_s
        limits = httpx.Timeout(
            connect=timeouts.connect_s, write=timeouts.write_s, pool=timeouts.pool_s, read=timeouts.read_s
        )
        try:
            with self._pool().stream(
                method, url, headers=headers, content=content or None, params=params, timeout=limits
            ) as response:
                self._note_limits(method, url, response)
                body = _read_body(response, deadline_s=deadline_s)
                return Answer(response.status_code, dict(response.headers), body)
        except NoAnswer:
            raise
        except _BEFORE_THE_WIRE as error:
            raise NoAnswer("not_connected", _kind(error), reached_wire=False) from None
        except httpx.TimeoutException as error:
            raise NoAnswer("timed_out", _kind(error)) from None
        except Exception as error:  # noqa: BLE001  whatever went wrong, the request may have arrived
            raise NoAnswer("connection_broke", _kind(error)) from None

    def _note_limits(self, method: str, url: str, response: httpx.Response) -> None:
        for service in (self._config.clob_url, self._config.gamma_url):
            if url.startswith(f"{service}/"):
                reading = reading_of(
                    method,
                    url.removeprefix(service),
                    status=response.status_code,
                    headers=response.headers,
                    now_s=epoch_ms(utc_now()) // 1000,
                )
                if reading is not None:
                    self._readings.append(reading)


def _read_body(response: httpx.Response, *, deadline_s: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise NoAnswer("answer_too_large", f"more than {ANSWER_BYTES_MAX} bytes")
        if monotonic_s() > deadline_s:
            raise NoAnswer("answer_too_slow", "the answer did not end in time")
    return bytes(body)


def _kind(error: Exception) -> str:
    """The exception's type only: its text may quote a header, and headers carry the passphrase."""
    return type(error).__name__


class _Busy(Exception):
    """A read that may succeed in a moment; carries the answer for when it does not."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def _repeated(once: Callable[[], Answer]) -> Answer:
    try:
        for attempt in stamina.retry_context(
            on=(NoAnswer, _Busy),
            attempts=READ_ATTEMPTS_MAX,
            timeout=READ_RETRY_S_MAX,
            wait_initial=0.1,
            wait_max=1.0,
            wait_jitter=0.2,
        ):
            with attempt:
                answer = once()
                if answer.status in _BUSY:
                    raise _Busy(answer)
                return answer
    except _Busy as busy:
        return busy.answer
    raise NoAnswer("not_tried", "no attempt was allowed", reached_wire=False)
