"""A match is not money: what settlement reports mean, in any order."""

from __future__ import annotations

import re
from itertools import permutations, product
from pathlib import Path

import pytest

from hedging.domain.fills import (
    FINAL,
    PROVISIONAL,
    SETTLEMENT_TRANSITIONS,
    SettlementNews,
    can_settle,
    counts_as_held,
    counts_as_pending,
    settlement_news,
)
from venues.domain.gateway import Settlement

S = Settlement
RULES = Path(__file__).parents[3] / "hedging" / "migrations" / "0002_rules.sql"


def test_the_steps_are_those_that_the_database_enforces() -> None:
    text = RULES.read_text(encoding="utf-8")
    inserted = text.split("INSERT INTO hedging_settlement_transition", 1)[1].split(";", 1)[0]
    stored = {(S(old), S(new)) for old, new in re.findall(r"\('(\w+)','(\w+)'\)", inserted)}
    assert stored == SETTLEMENT_TRANSITIONS


def test_only_a_confirmed_trade_counts_as_held() -> None:
    assert [state for state in S if counts_as_held(state)] == [S.CONFIRMED]


def test_a_trade_on_its_way_is_pending_and_a_failed_one_is_nothing() -> None:
    assert {state for state in S if counts_as_pending(state)} == {S.MATCHED, S.MINED, S.RETRYING}
    assert not counts_as_held(S.FAILED)
    assert not counts_as_pending(S.FAILED)


def test_provisional_and_final_are_all_states_and_nothing_twice() -> None:
    assert set(S) == PROVISIONAL | FINAL
    assert not PROVISIONAL & FINAL


def test_nothing_leaves_a_final_state() -> None:
    assert not [step for step in SETTLEMENT_TRANSITIONS if step[0] in FINAL]
    assert {step[1] for step in SETTLEMENT_TRANSITIONS if step[0] is S.MATCHED} == {
        S.MINED,
        S.RETRYING,
        S.CONFIRMED,
        S.FAILED,
    }


@pytest.mark.parametrize(
    "old, reported, news",
    [
        (None, S.MATCHED, SettlementNews.MOVED),
        (None, S.CONFIRMED, SettlementNews.HELD),
        (None, S.FAILED, SettlementNews.FAILED),
        (S.MATCHED, S.MATCHED, SettlementNews.NOTHING),
        (S.MINED, S.MATCHED, SettlementNews.NOTHING),
        (S.MATCHED, S.CONFIRMED, SettlementNews.HELD),
        (S.RETRYING, S.FAILED, SettlementNews.FAILED),
        (S.CONFIRMED, S.MINED, SettlementNews.NOTHING),
        (S.CONFIRMED, S.FAILED, SettlementNews.CONTRADICTION),
        (S.FAILED, S.CONFIRMED, SettlementNews.CONTRADICTION),
    ],
)
def test_what_a_report_means(old: Settlement | None, reported: Settlement, news: SettlementNews) -> None:
    assert settlement_news(old, reported) is news


def test_reports_in_any_order_count_a_trade_once() -> None:
    for order in permutations([S.MATCHED, S.MINED, S.RETRYING, S.CONFIRMED]):
        state, counted = None, 0
        for reported in [*order, *order]:
            news = settlement_news(state, reported)
            counted += news is SettlementNews.HELD
            if news is not SettlementNews.NOTHING:
                state = reported
        assert (state, counted) == (S.CONFIRMED, 1)


def test_a_step_is_news_exactly_when_it_is_legal_or_contradicts_a_final_state() -> None:
    for old, new in product(S, S):
        is_news = settlement_news(old, new) is not SettlementNews.NOTHING
        assert is_news == (can_settle(old, new) or (old is not new and old in FINAL and new in FINAL))
