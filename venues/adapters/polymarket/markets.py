"""Markets and books as the venue states them, in our words. Pure.

Two services describe a market: Gamma has the wording, the order book (CLOB) the terms. Where both speak, the
stricter word counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.config import VENUE_CODE
from venues.adapters.polymarket.domains import domain_version_of
from venues.adapters.polymarket.fills import FeeTerms
from venues.adapters.polymarket.limits import MARKETABLE_BUY_USD_MIN
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.books import Book, Level
from venues.domain.exchanges import ExchangeDomain
from venues.domain.instruments import InstrumentTerms
from venues.domain.listings import MarketListing

# A word for a protocol that no row of our table knows is kept behind a question mark, for people to read; no order is
# signed for it.
_DOMAIN_CHARS_MAX = 4
_ID_FIELDS = {"v1": ("clobTokenIds",), "v2": ("positionIds",)}
_STATUS_CHARS_MAX = 40


def book_of(answer: object, *, instrument_id: str) -> Book:
    """The resting orders, best first. The venue lists them worst first, and we do not rely on it."""
    body = wire.mapping(answer, name="book")
    if body.get("asset_id") != instrument_id:
        raise Unreadable(f"asked for the book of {instrument_id}, got another")
    return Book(
        instrument_id=instrument_id,
        bids=_levels(body.get("bids"), is_descending=True),
        asks=_levels(body.get("asks"), is_descending=False),
        taken_at=wire.moment(body.get("timestamp"), name="timestamp"),
        book_hash=str(body.get("hash") or ""),
    )


def books_of(answer: object, *, instrument_ids: Sequence[str]) -> dict[str, Book]:
    """The books of those of `instrument_ids` that the answer to `POST /books` holds."""
    asked = set(instrument_ids)
    found: dict[str, Book] = {}
    for entry in wire.array(answer, name="books"):
        token = wire.mapping(entry, name="book").get("asset_id")
        if token in asked:
            found[str(token)] = book_of(entry, instrument_id=str(token))
    return found


def _levels(value: object, *, is_descending: bool) -> tuple[Level, ...]:
    levels = []
    for entry in wire.array(value, name="levels"):
        row = wire.mapping(entry, name="level")
        level = Level(wire.exact(row.get("price"), name="price"), wire.exact(row.get("size"), name="size"))
        if not 0 < level.price < 1 or level.size < 0:
            raise Unreadable(f"{level.size} shares at {level.price} cannot rest in a book")
        if level.size:
            levels.append(level)
    return tuple(sorted(levels, key=lambda level: level.price, reverse=is_descending))


def fee_terms_of(clob_market: object) -> FeeTerms:
    """The fee curve; a market without one charges nothing. Raises Unreadable for one we cannot compute."""
    fee = wire.mapping(clob_market, name="market").get("fd")
    if fee is None:
        return FeeTerms(rate=Decimal(0), exponent=1)
    curve = wire.mapping(fee, name="fd")
    rate = wire.exact(curve.get("r") or 0, name="fd.r")
    exponent = wire.whole(curve.get("e") if curve.get("e") is not None else 1, name="fd.e")
    if not 0 <= rate < 1 or not 0 <= exponent <= 8:
        raise Unreadable(f"a fee of rate {rate} and exponent {exponent} is none that we can compute")
    return FeeTerms(rate=rate, exponent=exponent)


def terms_of(
    gamma_market: object, clob_market: object, *, instrument_id: str, domains: Sequence[ExchangeDomain]
) -> InstrumentTerms:
    """The terms of one outcome token; `domains` says which signing domain the venue's markets belong to.

    Raises Unreadable for an id that is not what this market trades, as the conditional token of a Protocol V2 market.
    """
    gamma = wire.mapping(gamma_market, name="Gamma market")
    clob = wire.mapping(clob_market, name="CLOB market")
    condition_id = wire.text(gamma.get("conditionId"), name="conditionId")
    if str(clob.get("c") or condition_id).lower() != condition_id.lower():
        raise Unreadable(f"Gamma speaks of {condition_id}, the order book of {clob.get('c')}")
    if instrument_id not in _clob_tokens(clob):
        raise Unreadable(f"the order book's market {condition_id} has no token {instrument_id}")
    version = gamma.get("version")
    domain = domain_version_of(version, token_id=instrument_id, domains=domains)
    outcomes = {token: label for label, token in outcomes_of(gamma)}
    if version is not None and domain is not None and instrument_id not in outcomes:
        raise Unreadable(f"{instrument_id} is not what market {condition_id} of version {version} trades")
    fee = fee_terms_of(clob)
    closed = gamma.get("closed") is True or gamma.get("archived") is True
    return InstrumentTerms(
        venue_code=VENUE_CODE,
        instrument_id=instrument_id,
        condition_id=condition_id,
        market_id=str(gamma.get("id") or ""),
        slug=str(gamma.get("slug") or ""),
        question=str(gamma.get("question") or ""),
        description=str(gamma.get("description") or ""),
        outcome=outcomes.get(instrument_id, ""),
        tick_size=wire.exact(clob.get("mts"), name="mts"),
        size_min=wire.exact(clob.get("mos"), name="mos"),
        notional_usd_min=MARKETABLE_BUY_USD_MIN,
        fee_rate=fee.rate,
        fee_exponent=fee.exponent,
        neg_risk=clob.get("nr") is True,
        exchange_domain=domain or f"?{version}"[:_DOMAIN_CHARS_MAX],
        accepting_orders=not closed and domain is not None and _is_accepting(gamma, clob),
        closed=closed,
        end_at=_end_at(gamma),
        resolution_status=resolution_status_of(gamma),
    )


def resolution_status_of(gamma: Mapping[str, Any]) -> str:
    """The oracle's word: `umaResolutionStatus`, or `resolutionStatus` of a Protocol V2 market; empty before it begins.

    A V2 market says "inactive" or "active" until then; a v1 market nothing, or "requested", which the oracle is from
    the day of the market's creation.
    """
    said = str(gamma.get("umaResolutionStatus") or gamma.get("resolutionStatus") or "").strip().lower()
    return "" if said in {"inactive", "active", "requested"} else said[:_STATUS_CHARS_MAX]


def _clob_tokens(clob: Mapping[str, Any]) -> set[str]:
    rows = [wire.mapping(row, name="t") for row in wire.array(clob.get("t"), name="t")]
    return {str(row.get("t")) for row in rows}


def _is_accepting(gamma: Mapping[str, Any], clob: Mapping[str, Any]) -> bool:
    words = [clob.get("ao"), gamma.get("acceptingOrders"), gamma.get("active"), gamma.get("enableOrderBook")]
    said = [word for word in words if word is not None]
    return bool(said) and all(word is True for word in said) and (True in words[:2])


def _end_at(gamma: Mapping[str, Any]) -> datetime | None:
    value = gamma.get("endDate")
    return wire.moment(value, name="endDate") if value else None


def listing_of(gamma_market: object, *, tags: Sequence[str] = ()) -> MarketListing:
    """A market as a search found it; `tags` are its event's. Raises Unreadable for one that is no market."""
    gamma = wire.mapping(gamma_market, name="Gamma market")
    own = [wire.mapping(row, name="tag").get("slug") for row in wire.array(gamma.get("tags"), name="tags")]
    closed = gamma.get("closed") is True or gamma.get("archived") is True
    return MarketListing(
        market_id=str(gamma.get("id") or ""),
        condition_id=str(gamma.get("conditionId") or ""),
        slug=str(gamma.get("slug") or ""),
        question=str(gamma.get("question") or ""),
        description=str(gamma.get("description") or ""),
        outcomes=outcomes_of(gamma),
        accepting_orders=not closed and gamma.get("acceptingOrders") is True,
        closed=closed,
        end_at=_end_at(gamma),
        neg_risk=gamma.get("negRisk") is True,
        version=str(gamma.get("version") or ""),
        tags=tuple(sorted({*tags, *(str(slug) for slug in own if slug)})),
        resolution_status=resolution_status_of(gamma),
    )


def outcomes_of(gamma: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(label, token id) pairs of what the market trades: a v1 market its tokens, a v2 market its positions.

    Both may be stated (docs.polymarket.com/protocol-v2-migration); only a market that does not say which it is counts
    with both. Gamma sends these lists as JSON inside a string, position ids as a list.
    """
    labels = _listed(gamma.get("outcomes"), name="outcomes")
    fields = _ID_FIELDS.get(str(gamma.get("version")), ("clobTokenIds", "positionIds"))
    pairs = [
        pair for name in fields for pair in zip(labels, _listed(gamma.get(name), name=name), strict=False)
    ]
    return tuple((label, token) for label, token in pairs if token)


def _listed(value: object, *, name: str) -> Sequence[str]:
    if isinstance(value, str):
        value = wire.read_json(value.encode()) if value else None
    return [str(item) for item in wire.array(value, name=name)]
