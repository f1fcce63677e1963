"""The gravest cause that holds is the one said; only a cause that does not pass takes the place of one that does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.mappings import PASSING, Suspension
from hedging.domain.suspensions import Cause, MarketState, cause_of, is_graver

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SOUND: dict[str, Any] = {
    "wording_hash": "approved",
    "closed": False,
    "accepting_orders": True,
    "end_at": NOW + timedelta(days=40),
    "resolution_status": "",
    "is_listed": True,
}
# From the gravest to the lightest.
FAULTS: dict[Suspension, dict[str, Any]] = {
    Suspension.WORDING: {"wording_hash": "other"},
    Suspension.CLOSED: {"closed": True},
    Suspension.SETTLING: {"resolution_status": "disputed"},
    Suspension.ENDING: {"end_at": NOW + timedelta(days=6, hours=23)},
    Suspension.UNLISTED: {"is_listed": False},
    Suspension.PAUSED: {"accepting_orders": False},
}


def cause(**changes: Any) -> Cause | None:
    return cause_of(
        MarketState(**(SOUND | changes)), approved_wording_hash="approved", days_before_end=7, now=NOW
    )


def test_a_sound_market_has_no_cause() -> None:
    assert cause() is None
    assert cause(end_at=None) is None
    assert cause(end_at=NOW + timedelta(days=7)) is None


@pytest.mark.parametrize("kind", list(FAULTS))
def test_each_fault_is_its_own_cause_with_a_sentence(kind: Suspension) -> None:
    found = cause(**FAULTS[kind])
    assert found is not None
    assert (found.kind, found.sentence.endswith(".")) == (kind, False)


def test_an_end_says_when() -> None:
    found = cause(**FAULTS[Suspension.ENDING])
    assert found is not None
    assert found.sentence == "it ends on 28 November 2026, in less than 7 days"


@given(st.sets(st.sampled_from(list(FAULTS)), min_size=1))
def test_of_several_faults_the_gravest_is_said(kinds: set[Suspension]) -> None:
    changes: dict[str, Any] = {}
    for kind in kinds:
        changes |= FAULTS[kind]
    found = cause(**changes)
    assert found is not None
    assert found.kind == next(kind for kind in FAULTS if kind in kinds)


@given(st.sampled_from(list(FAULTS)), st.sampled_from(list(Suspension)))
def test_only_what_does_not_pass_takes_the_place_of_what_passes(
    kind: Suspension, resting: Suspension
) -> None:
    found = Cause(kind=kind, sentence="why")
    assert is_graver(found, than=resting) == (resting in PASSING and kind not in PASSING)
