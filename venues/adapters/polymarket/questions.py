"""Reads of the venue with the venue's authority, or LookupFailed: nothing in between.

A caller that gets a value knows that the venue said it; silence, an error page or half an answer never look
like "there is nothing".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import Answer, NoAnswer, PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.limits import CONDITIONS_PER_PAGE, PAGES_MAX
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import LookupFailed

# The venue's own mark for the last page; others end by leaving the cursor out.
_CURSOR_END = "LTE="


@contextmanager
def authoritative(subject: str) -> Iterator[None]:
    """Turn every way of not getting an answer about `subject` into LookupFailed."""
    try:
        yield
    except NoAnswer as error:
        raise LookupFailed(f"{subject}: {error.reason} ({error.message})") from None
    except Unreadable as error:
        raise LookupFailed(f"{subject}: {error}") from None


class Questions:
    """GET requests to the order book and Gamma. They raise NoAnswer and Unreadable: see `authoritative`."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig) -> None:
        self._client = client
        self._config = config

    def clob(self, path: str, params: Mapping[str, Any] | None = None, *, is_signed: bool = False) -> Any:
        return _value(self._answer(path, params, is_signed=is_signed))

    def clob_posted(self, path: str, question: object) -> Any:
        """A question too long for a query, which travels as POST and changes nothing."""
        body = json.dumps(question, separators=(",", ":")).encode()
        return _value(self._client.post_read(self._config.clob_url + path, body))

    def clob_or_none(self, path: str, *, is_signed: bool = False, is_none_when_empty: bool = False) -> Any:
        """As `clob`; None where the venue itself says 404.

        An empty answer is a broken one, unless the venue says nothing that way (`is_none_when_empty`).
        """
        answer = self._answer(path, None, is_signed=is_signed)
        if answer.status == 404:
            # A 404 page of something in between is no word of the venue's.
            return None if not answer.body.strip() or _is_json(answer.body) else _value(answer)
        if is_none_when_empty and answer.status == 200 and not answer.body.strip():
            return None
        return _value(answer)

    def gamma(self, path: str, params: Mapping[str, Any]) -> Any:
        """A question to the catalogue."""
        return _value(self._client.read(self._config.gamma_url + path, params=params))

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Every item of a signed, paged list. Raises Unreadable past PAGES_MAX: a part is not the whole."""
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            turned = {**params, "next_cursor": cursor} if cursor else params
            page = wire.mapping(self.clob(path, turned, is_signed=True), name="page")
            yield from wire.array(page.get("data"), name="data")
            following = page.get("next_cursor")
            if not following or following in (_CURSOR_END, cursor):
                return
            cursor = wire.text(following, name="next_cursor")
        raise Unreadable(f"more than {PAGES_MAX} pages; ask for a shorter time")

    def gamma_markets(self, condition_ids: list[str]) -> dict[str, Any]:
        """Gamma's markets by condition id, open and closed ones."""
        found: dict[str, Any] = {}
        for start in range(0, len(condition_ids), CONDITIONS_PER_PAGE):
            chunk = condition_ids[start : start + CONDITIONS_PER_PAGE]
            for closed in ("false", "true"):
                missing = [condition_id for condition_id in chunk if condition_id.lower() not in found]
                found |= self._gamma_page(missing, closed=closed) if missing else {}
        return found

    def _answer(self, path: str, params: Mapping[str, Any] | None, *, is_signed: bool) -> Answer:
        if is_signed:
            return self._client.read_own(path, params=params)
        return self._client.read(self._config.clob_url + path, params=params)

    def _gamma_page(self, condition_ids: list[str], *, closed: str) -> dict[str, Any]:
        params = {"condition_ids": condition_ids, "closed": closed, "limit": CONDITIONS_PER_PAGE}
        answer = self.gamma("/markets/keyset", params)
        rows = wire.array(wire.mapping(answer, name="Gamma page").get("markets"), name="markets")
        return {str(row.get("conditionId")).lower(): row for row in rows if isinstance(row, dict)}


def _value(answer: Answer) -> Any:
    if answer.status != 200:
        raise Unreadable(f"HTTP {answer.status}")
    return wire.read_json(answer.body)


def _is_json(body: bytes) -> bool:
    try:
        wire.read_json(body)
    except Unreadable:
        return False
    return True
