"""Every ordered pair of states is attempted: the listed moves pass, all others are refused."""

from __future__ import annotations

import itertools

import pytest

from hedging.domain.fills import SETTLEMENT_TRANSITIONS
from hedging.domain.orders import ADOPTED, TRANSITIONS, WITHOUT_FILLS, OrderStatus
from hedging.models import Fill, Order
from hedging.models.orders import LIVE_STATES
from tests import factories as make
from tests.hedging.models.refusals import refused, sql
from venues.domain.gateway import Settlement

pytestmark = pytest.mark.django_db

MOVES = list(itertools.permutations(OrderStatus, 2))
STEPS = list(itertools.permutations(Settlement, 2))


def test_the_databases_table_of_moves_is_the_domains() -> None:
    assert set(sql("SELECT old, new FROM hedging_order_transition")) == {
        (o.value, n.value) for o, n in TRANSITIONS
    }


def test_the_databases_table_of_settlements_is_the_domains() -> None:
    stored = set(sql("SELECT old, new FROM hedging_settlement_transition"))
    assert stored == {(o.value, n.value) for o, n in SETTLEMENT_TRANSITIONS}


ADOPTION = (OrderStatus.PREPARED, OrderStatus.ACKED)
"""Legal only for what others sent."""


def _order_in(state: OrderStatus, *, towards: OrderStatus) -> Order:
    """An order in `state`, traded in full where either state needs it."""
    named = {"client_order_id": f"{ADOPTED}{make.number()}"} if (state, towards) == ADOPTION else {}
    row = make.order(
        make.intent(make.instrument()),
        state=state,
        fills=[{}] if state is OrderStatus.FILLED else [],
        **named,
    )
    if towards is OrderStatus.FILLED and state not in WITHOUT_FILLS:
        make.fill(row)
    return row


def _move(row: Order, to: OrderStatus) -> list[tuple[object, ...]]:
    """What a shell would write, with all that a legal move asks for."""
    moved = sql(
        "UPDATE hedging_order SET state = %s, attempts = attempts + %s, absent_proofs = 2 WHERE id = %s"
        " RETURNING state",
        to,
        int(to is OrderStatus.SENDING),
        row.pk,
    )
    if to is OrderStatus.SENDING:
        make.attempt(row)
    return moved


@pytest.mark.parametrize(("old", "new"), [pair for pair in MOVES if pair in TRANSITIONS])
def test_a_listed_move_passes_and_is_remembered(old: OrderStatus, new: OrderStatus) -> None:
    row = _order_in(old, towards=new)
    assert _move(row, new) == [(new.value,)]
    last = row.events.order_by("-pk")[0]
    assert (last.old, last.new) == (old.value, new.value)
    row.refresh_from_db()
    assert row.version == row.events.count() - 1 + row.fills.count()


@pytest.mark.parametrize(("old", "new"), [pair for pair in MOVES if pair not in TRANSITIONS])
def test_any_other_move_is_refused_and_leaves_no_trace(old: OrderStatus, new: OrderStatus) -> None:
    row = _order_in(old, towards=new)
    before = row.events.count()
    with refused("HB023", saying=f"illegal transition {old} -> {new}"):
        _move(row, new)
    row.refresh_from_db()
    assert (row.state, row.events.count()) == (old, before)


def test_no_move_leads_out_of_filled_and_none_back_to_prepared() -> None:
    assert not sql("SELECT * FROM hedging_order_transition WHERE old = 'FILLED' OR new = 'PREPARED'")


def test_a_dead_order_that_shows_life_goes_to_a_person_and_nowhere_else() -> None:
    dead = {"CANCELLED", "EXPIRED", "REJECTED", "NOT_PLACED", "ABORTED"}
    rows = sql("SELECT old, new FROM hedging_order_transition WHERE NOT old = ANY(%s)", LIVE_STATES)
    assert set(rows) == {(state, "MANUAL") for state in dead}


def test_staying_in_a_state_is_no_move_and_no_event() -> None:
    row = make.order(make.intent(make.instrument()), state="UNKNOWN")
    before = row.events.count()
    sql("UPDATE hedging_order SET checks = checks + 1 WHERE id = %s", row.pk)
    assert row.events.count() == before


# ------------------------------------------------------------------------------------------------ settlements
def _fill_in(settlement: Settlement) -> Fill:
    row = make.order(make.intent(make.instrument()), state="PARTIAL")
    return make.fill(row, settlement=settlement.value)


@pytest.mark.parametrize(("old", "new"), [pair for pair in STEPS if pair in SETTLEMENT_TRANSITIONS])
def test_a_listed_settlement_passes_and_is_remembered(old: Settlement, new: Settlement) -> None:
    row = _fill_in(old)
    sql("UPDATE hedging_fill SET settlement = %s WHERE id = %s", new.value, row.pk)
    assert list(row.events.values_list("old", "new")) == [(None, old.value), (old.value, new.value)]


@pytest.mark.parametrize(("old", "new"), [pair for pair in STEPS if pair not in SETTLEMENT_TRANSITIONS])
def test_any_other_settlement_is_refused(old: Settlement, new: Settlement) -> None:
    row = _fill_in(old)
    with refused("HB041", saying=f"illegal settlement {old} -> {new}"):
        sql("UPDATE hedging_fill SET settlement = %s WHERE id = %s", new.value, row.pk)
    assert list(row.events.values_list("old", "new")) == [(None, old.value)]
