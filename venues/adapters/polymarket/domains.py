"""Which of the venue's exchange contracts a market's orders are signed for. Pure.

The table of contracts is data (`venues/models/exchanges.py`); here is only how a market finds its row.
"""

from __future__ import annotations

from collections.abc import Sequence

from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.environment import is_v2_position_id
from venues.domain.exchanges import ExchangeDomain, PositionIds, domain_matching
from venues.domain.instruments import InstrumentTerms


def position_ids_of(token_id: str) -> PositionIds:
    """The namespace that an id belongs to."""
    return PositionIds.PROTOCOL_V2 if is_v2_position_id(token_id) else PositionIds.CTF


def domain_of(terms: InstrumentTerms, *, domains: Sequence[ExchangeDomain]) -> ExchangeDomain:
    """The domain that the market's orders are signed for. Raises Refused where there is none for it."""
    found = domain_matching(domains, version=terms.exchange_domain, neg_risk=terms.neg_risk)
    if found is None:
        kind = "neg-risk markets" if terms.neg_risk else "ordinary markets"
        raise _refused(
            f"no active exchange contract is known for signing domain {terms.exchange_domain!r} and {kind}; "
            "add it under Exchange contracts once its address is confirmed by the venue's documentation"
        )
    if position_ids_of(terms.instrument_id) is not found.position_ids:
        raise _refused(
            f"the market says {terms.exchange_domain}, whose ids are {found.position_ids}, but its token id is "
            f"{position_ids_of(terms.instrument_id)}; refresh the market's terms"
        )
    return found


def domain_version_of(
    market_version: object, *, token_id: str, domains: Sequence[ExchangeDomain]
) -> str | None:
    """The version of the signing domain of a market of this word; None for a word that no row knows.

    Without a word (the venue's older answers) the id decides.
    """
    if market_version is None:
        known = [domain for domain in domains if domain.position_ids is position_ids_of(token_id)]
    else:
        known = [domain for domain in domains if domain.market_version == str(market_version)]
    active = [domain for domain in known if domain.is_active] or known
    return active[0].version if active else None


def _refused(message: str) -> Refused:
    return Refused(f"exchange_domain: {message}", code="exchange_domain", field="exchange_domain")
