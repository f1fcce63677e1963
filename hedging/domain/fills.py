"""How a trade becomes money: settlement step by step, and what may be counted as a hedge.

A match is not money: a matched trade can still fail on the chain, and then it never happened.
"""

from __future__ import annotations

from enum import StrEnum

from venues.domain.gateway import Settlement

_S = Settlement

SETTLEMENT_TRANSITIONS: frozenset[tuple[Settlement, Settlement]] = frozenset(
    {
        (_S.MATCHED, _S.MINED),
        (_S.MATCHED, _S.RETRYING),
        (_S.MATCHED, _S.CONFIRMED),
        (_S.MATCHED, _S.FAILED),
        (_S.MINED, _S.CONFIRMED),
        (_S.MINED, _S.RETRYING),
        (_S.MINED, _S.FAILED),
        (_S.RETRYING, _S.MINED),
        (_S.RETRYING, _S.CONFIRMED),
        (_S.RETRYING, _S.FAILED),
    }
)
"""Every legal step (docs.polymarket.com, trade statuses); repeated as a table in the database."""

PROVISIONAL: frozenset[Settlement] = frozenset({_S.MATCHED, _S.MINED, _S.RETRYING})
FINAL: frozenset[Settlement] = frozenset({_S.CONFIRMED, _S.FAILED})


class SettlementNews(StrEnum):
    """What a report of a trade's settlement means to us.

    NOTHING: known already, or older than what we know. MOVED: still provisional. HELD: count it now. FAILED:
    it never happened, the exposure is unhedged again. CONTRADICTION: a final state denied by the venue; a
    person must look.
    """

    NOTHING = "nothing"
    MOVED = "moved"
    HELD = "held"
    FAILED = "failed"
    CONTRADICTION = "contradiction"


def can_settle(old: Settlement, new: Settlement) -> bool:
    """Whether a trade may go from `old` to `new`. Staying is not a step."""
    return (old, new) in SETTLEMENT_TRANSITIONS


def counts_as_held(settlement: Settlement) -> bool:
    """Whether the trade's units are ours: only when the venue says CONFIRMED."""
    return settlement is _S.CONFIRMED


def counts_as_pending(settlement: Settlement) -> bool:
    """Whether the trade may still become ours, so that its units must not be bought again."""
    return settlement in PROVISIONAL


def settlement_news(old: Settlement | None, reported: Settlement) -> SettlementNews:
    """What `reported` tells about a trade that we know as `old` (None: not known yet). Reports come in any order."""
    if old is None or can_settle(old, reported):
        if reported is _S.CONFIRMED:
            return SettlementNews.HELD
        return SettlementNews.FAILED if reported is _S.FAILED else SettlementNews.MOVED
    if old in FINAL and reported in FINAL and old is not reported:
        return SettlementNews.CONTRADICTION
    return SettlementNews.NOTHING
