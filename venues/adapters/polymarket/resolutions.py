"""How the venue's services say that a market has resolved: Gamma's prices, the order book's winner, the Data API.

Each is read by itself, so that two can be compared. Gamma maps outcomes to tokens for the Data API, whose payouts are
by position. Prices between 0 and 1 of a closed market are its last trades, not an answer, unless Gamma says "resolved".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from venues.adapters.polymarket import markets, wire
from venues.adapters.polymarket.client import PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.questions import Questions
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.resolutions import ResolutionReport, ResolutionState

DATA_PAGE = 20
_S = ResolutionState
_WORDS = {
    "resolved": _S.RESOLVED,
    "settled": _S.RESOLVED,
    "proposed": _S.PROPOSED,
    "reproposed": _S.PROPOSED,
    "challenged": _S.DISPUTED,
    "disputed": _S.DISPUTED,
    "arbitration": _S.DISPUTED,
}
_HALF = Decimal("0.5")


def resolutions_read(
    condition_ids: Sequence[str], *, client: PolymarketClient, config: PolymarketConfig, ask: Questions
) -> list[ResolutionReport]:
    """What each service says of each market; one that says nothing is left out. Raises NoAnswer, Unreadable."""
    gamma = ask.gamma_markets(sorted(condition_ids))
    told = _data_rows(sorted(condition_ids), client=client, config=config)
    reports = []
    for condition_id in condition_ids:
        market = gamma.get(condition_id.lower())
        if market is None:
            continue
        by_gamma = gamma_report(market)
        reports.append(by_gamma)
        row = told.get(condition_id.lower())
        if row is not None:
            reports.append(data_report(row, tokens=tokens_of(market), condition_id=condition_id))
        if market.get("closed") is True or any(report.state is _S.RESOLVED for report in reports[-2:]):
            found = ask.clob_or_none(f"/markets/{condition_id}")
            if found is not None:
                reports.append(clob_report(found, condition_id=condition_id))
    return reports


def tokens_of(market: Mapping[str, Any]) -> tuple[str, ...]:
    """The two tokens that the market trades, YES first: position ids on Protocol V2, token ids before."""
    pairs = markets.outcomes_of(market)
    count = len(pairs) // 2 if len(pairs) > 2 else len(pairs)
    chosen = pairs[-count:] if market.get("version") == "v2" else pairs[:count]
    return tuple(token for _, token in chosen)


def gamma_report(market: Mapping[str, Any]) -> ResolutionReport:
    """Gamma: closed, with prices of exactly 0 and 1, or half each once it says "resolved"."""
    word = str(market.get("umaResolutionStatus") or market.get("resolutionStatus") or "").lower()
    condition_id = wire.text(market.get("conditionId"), name="conditionId")
    prices = [Decimal(str(price)) for price in _prices(market.get("outcomePrices"))]
    tokens = tokens_of(market)
    words = f"closed {market.get('closed')}, status {word or 'none'}, prices {', '.join(map(str, prices)) or 'none'}"
    is_final = sorted(prices) == [0, 1] or (prices == [_HALF, _HALF] and word in ("resolved", "settled"))
    if market.get("closed") is True and is_final and len(tokens) == 2:
        return ResolutionReport(
            source="gamma",
            condition_id=condition_id,
            state=_S.RESOLVED,
            payouts=dict(zip(tokens, prices, strict=True)),
            words=words,
        )
    state = _WORDS.get(word, _S.OPEN)
    lone = _S.PROPOSED if state is _S.RESOLVED else state
    return ResolutionReport(source="gamma", condition_id=condition_id, state=lone, words=words)


def clob_report(market: object, *, condition_id: str) -> ResolutionReport:
    """The order book: exactly one winner, or its mark for half each."""
    body = wire.mapping(market, name="market")
    rows = [wire.mapping(row, name="token") for row in wire.array(body.get("tokens"), name="tokens")]
    winners = [row for row in rows if row.get("winner") is True]
    is_half = body.get("is_50_50_outcome") is True
    words = f"closed {body.get('closed')}, winner {', '.join(str(row.get('outcome')) for row in winners) or 'none'}"
    if (
        body.get("closed") is not True
        or len(rows) != 2
        or not (len(winners) == 1 or (is_half and not winners))
    ):
        return ResolutionReport(source="clob", condition_id=condition_id, state=_S.OPEN, words=words)
    payouts = {
        wire.text(row.get("token_id"), name="token_id"): _HALF if not winners else Decimal(row in winners)
        for row in rows
    }
    words += ", 50-50" if not winners else ""
    return ResolutionReport(
        source="clob", condition_id=condition_id, state=_S.RESOLVED, payouts=payouts, words=words
    )


def data_report(row: Mapping[str, Any], *, tokens: Sequence[str], condition_id: str) -> ResolutionReport:
    """The Data API: a stage, and payouts in millionths per outcome once it is resolved."""
    word = str(row.get("status") or "").lower()
    state = _WORDS.get(word, _S.OPEN)
    raw = row.get("payouts") if row.get("payouts") is not None else row.get("payouts_e6")
    paid = [wire.base_units(value, name="payout") for value in wire.array(raw, name="payouts")]
    words = (
        f"status {word or 'none'}, payouts {', '.join(f'{value.normalize():f}' for value in paid) or 'none'}"
    )
    if row.get("was_disputed") is True:
        words += ", was disputed"
    if state is _S.RESOLVED and len(paid) == len(tokens) == 2:
        return ResolutionReport(
            source="data",
            condition_id=condition_id,
            state=_S.RESOLVED,
            payouts=dict(zip(tokens, paid, strict=True)),
            words=words,
        )
    lone = _S.PROPOSED if state is _S.RESOLVED else state
    return ResolutionReport(source="data", condition_id=condition_id, state=lone, words=words)


def _data_rows(
    condition_ids: Sequence[str], *, client: PolymarketClient, config: PolymarketConfig
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(condition_ids), DATA_PAGE):
        params = {"condition_id": list(condition_ids[start : start + DATA_PAGE])}
        answer = client.read(f"{config.data_url}/v2/resolutions", params=params)
        if answer.status != 200:
            raise Unreadable(f"resolutions: HTTP {answer.status}")
        body = wire.mapping(wire.read_json(answer.body), name="answer")
        for entry in wire.array(body.get("data"), name="data"):
            row = wire.mapping(entry, name="resolution")
            found[str(row.get("condition_id") or "").lower()] = row
    return found


def _prices(value: object) -> list[str]:
    if isinstance(value, str):
        value = json.loads(value, parse_float=str) if value else []
    return [str(item) for item in wire.array(value, name="outcomePrices")]
