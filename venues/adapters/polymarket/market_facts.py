"""What the venue says of its markets, asked once where it cannot change and again where it can.

These questions raise NoAnswer and Unreadable, as those of `questions.py` do.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from tonsurance.kernel.clock import monotonic_s
from venues.adapters.polymarket import fills, markets, wire
from venues.adapters.polymarket.limits import CONDITIONS_MAX, FEE_TERMS_MAX, FEE_TERMS_TTL_S
from venues.adapters.polymarket.questions import Questions
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.exchanges import ExchangeDomain
from venues.domain.instruments import InstrumentTerms

logger = logging.getLogger(__name__)
_TOKEN_ID = re.compile(r"[0-9]{1,78}")


class MarketFacts:
    """Terms, fee curves and names of markets, for one configuration; `domains` are its signing domains."""

    def __init__(self, ask: Questions, domains: Sequence[ExchangeDomain]) -> None:
        self._ask = ask
        self._domains = domains
        self._fee_terms: dict[str, tuple[fills.FeeTerms, float]] = {}
        self._conditions: dict[str, str] = {}

    def condition_of(self, token_id: str) -> str:
        """The market that a token belongs to, which never changes; empty for a token that the venue does not know."""
        if not _TOKEN_ID.fullmatch(token_id):
            return ""
        if token_id in self._conditions:
            return self._conditions[token_id]
        answer = self._ask.clob_or_none(f"/markets-by-token/{token_id}")
        if not answer:
            return ""
        found = wire.text(wire.mapping(answer, name="market").get("condition_id"), name="condition_id")
        if len(self._conditions) >= CONDITIONS_MAX:
            self._conditions.clear()
        self._conditions[token_id] = found
        return found

    def terms(self, token_ids: Sequence[str]) -> list[InstrumentTerms]:
        """Terms of the tokens the venue knows; one it does not know, or states absurdly, is left out."""
        condition_ids = {token: found for token in token_ids if (found := self.condition_of(token))}
        gamma_markets = self._ask.gamma_markets(sorted(set(condition_ids.values())))
        return [
            terms
            for token, condition_id in condition_ids.items()
            if (terms := self._terms_of(token, gamma_markets.get(condition_id.lower()))) is not None
        ]

    def fee_terms_of(self, condition_id: str) -> fills.FeeTerms:
        """The market's fee curve, at most FEE_TERMS_TTL_S old."""
        known, until_s = self._fee_terms.get(condition_id, (None, 0.0))
        if known is not None and monotonic_s() < until_s:
            return known
        fresh = markets.fee_terms_of(self._ask.clob(f"/clob-markets/{condition_id}"))
        if len(self._fee_terms) >= FEE_TERMS_MAX:
            self._fee_terms.clear()
        self._fee_terms[condition_id] = (fresh, monotonic_s() + FEE_TERMS_TTL_S)
        return fresh

    def _terms_of(self, token_id: str, gamma_market: object) -> InstrumentTerms | None:
        if gamma_market is None:
            return None
        condition_id = wire.mapping(gamma_market, name="market").get("conditionId")
        clob_market = self._ask.clob_or_none(f"/clob-markets/{condition_id}")
        try:
            return markets.terms_of(gamma_market, clob_market, instrument_id=token_id, domains=self._domains)
        except Unreadable as error:
            logger.warning("polymarket states terms of %s that cannot be used: %s", token_id, error)
            return None
