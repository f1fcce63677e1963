"""The send gate: no order leaves while a switch over it is open, missing, or out of probes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hedging.models import Breaker, BreakerEvent, Order
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db
SCOPES = ["global", "venue:polymarket"]


def _open(scope: str, **values: Any) -> Breaker:
    make.venue()
    return make.breaker(scope, state="OPEN", opened_at=make.NOW, reason="the venue is down", **values)


def _half_open(scope: str, probes: int, **values: Any) -> Breaker:
    make.venue()
    return make.breaker(scope, state="HALF_OPEN", opened_at=make.NOW, probe_budget=probes, **values)


def _opening() -> Order:
    return make.order(make.intent(make.instrument()))


def _closing() -> Order:
    sale = make.intent(make.instrument(), side="SELL", purpose="close", price_limit=Decimal("0.04"))
    return make.order(sale)


def test_an_order_is_sent_through_closed_breakers() -> None:
    row = _opening()
    make.order_move(row, "SENDING")
    assert row.state == "SENDING"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("made", [_opening, _closing])
def test_an_open_breaker_stops_every_send(scope: str, made: Any) -> None:
    row = made()
    _open(scope)
    with refused("HB001", saying=f"breaker {scope} is open: the venue is down"):
        make.order_move(row, "SENDING")
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("PREPARED", 0)


@pytest.mark.parametrize("scope", SCOPES)
def test_an_open_breaker_stops_a_resend_too(scope: str) -> None:
    row = make.order(make.intent(make.instrument()), state="UNKNOWN")
    _open(scope)
    with refused("HB001"):
        make.order_move(row, "SENDING")


def test_an_open_breaker_stops_no_answer_and_no_lookup() -> None:
    rows = [make.order(make.intent(make.instrument()), state=state) for state in ("SENDING", "UNKNOWN")]
    _open("global")
    for row in rows:
        make.order_move(row, "ACKED")
    assert [row.state for row in rows] == ["ACKED", "ACKED"]


def test_another_venues_breaker_is_none_of_ours() -> None:
    row = _opening()
    make.venue("binance_futures")
    _open("venue:binance_futures")
    make.order_move(row, "SENDING")
    assert row.state == "SENDING"


@pytest.mark.parametrize("scope", SCOPES)
def test_reduce_only_lets_positions_shrink_and_nothing_else(scope: str) -> None:
    opening, closing = _opening(), _closing()
    _open(scope, effect="REDUCE_ONLY")
    with refused("HB001"):
        make.order_move(opening, "SENDING")
    make.order_move(closing, "SENDING")
    assert closing.state == "SENDING"


def test_reduce_only_at_the_venue_does_not_lift_a_halt_of_everything() -> None:
    row = _closing()
    _open("venue:polymarket", effect="REDUCE_ONLY")
    _open("global")
    with refused("HB001", saying="breaker global"):
        make.order_move(row, "SENDING")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_missing_breaker_is_a_no(scope: str) -> None:
    row = _opening()
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE hedging_breaker DISABLE TRIGGER never_deleted")
    sql("DELETE FROM hedging_breaker WHERE scope = %s", scope)
    with refused("HB001", saying="does not exist"):
        make.order_move(row, "SENDING")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_half_open_breaker_lets_its_probes_through_and_no_more(scope: str) -> None:
    rows = [_opening() for _ in range(3)]
    _half_open(scope, 2)
    for row in rows[:2]:
        make.order_move(row, "SENDING")
    with refused("HB001", saying=f"breaker {scope} is half-open and has no probe left"):
        make.order_move(rows[2], "SENDING")
    assert Breaker.objects.get(scope=scope).probe_budget == 0


def test_a_refused_send_gives_its_probe_back() -> None:
    row = _opening()
    _half_open("global", 1)
    _open("venue:polymarket")
    with refused("HB001", saying="venue:polymarket"):
        make.order_move(row, "SENDING")
    assert Breaker.objects.get(scope="global").probe_budget == 1


def test_closing_orders_pass_a_half_open_reduce_only_breaker_without_a_probe() -> None:
    closing, opening = _closing(), _opening()
    _half_open("global", 0, effect="REDUCE_ONLY")
    make.order_move(closing, "SENDING")
    with refused("HB001"):
        make.order_move(opening, "SENDING")


# ------------------------------------------------------------------------------------------------ who may lift it
@pytest.mark.parametrize("actor", ["", "system"])
@pytest.mark.parametrize(
    "change",
    [
        "state = 'CLOSED', opened_at = NULL, latched = false",
        "state = 'HALF_OPEN', latched = false",
        "latched = false",
        "effect = 'REDUCE_ONLY'",
    ],
)
def test_a_latched_breaker_is_loosened_by_a_person_only(actor: str, change: str) -> None:
    _open("global", latched=True)
    with refused("HB060", saying="latched breaker global needs a person"):
        sql(f"UPDATE hedging_breaker SET {change}, changed_by = %s WHERE scope = 'global'", actor)
    sql(f"UPDATE hedging_breaker SET {change}, changed_by = 'risk.officer' WHERE scope = 'global'")


def test_the_machine_may_tighten_a_latched_breaker_and_lift_one_that_is_not() -> None:
    row = _open("global", latched=True, effect="REDUCE_ONLY")
    row.effect, row.changed_by = "HALT", "system"
    row.save()
    pause = _open("venue:polymarket")
    pause.state, pause.opened_at, pause.changed_by = "CLOSED", None, "system"
    pause.save()
    found = sql("SELECT state, effect FROM hedging_breaker WHERE scope = ANY(%s) ORDER BY scope", SCOPES)
    assert found == [("OPEN", "HALT"), ("CLOSED", "HALT")]


def test_a_breaker_keeps_its_scope() -> None:
    make.venue()
    with refused("HB061"):
        sql("UPDATE hedging_breaker SET scope = 'elsewhere' WHERE scope = 'global'")


def test_every_change_of_a_breaker_is_remembered_from_its_birth() -> None:
    make.venue()
    row = make.breaker("global")
    row.state, row.opened_at, row.reason, row.changed_by = "OPEN", make.NOW, "doubt", "risk.officer"
    row.save()
    row.state, row.opened_at, row.reason = "CLOSED", None, "doubt resolved"
    row.save()
    events = BreakerEvent.objects.filter(scope="global").order_by("pk")
    assert list(events.values_list("old", "new", "reason", "who")) == [
        ("", "CLOSED", "", ""),
        ("CLOSED", "OPEN", "doubt", "risk.officer"),
        ("OPEN", "CLOSED", "doubt resolved", "risk.officer"),
    ]
    row.refresh_from_db()
    assert row.epoch == 2


def test_using_up_a_probe_is_no_change_worth_an_event() -> None:
    row = _opening()
    _half_open("global", 1)
    before = BreakerEvent.objects.count()
    make.order_move(row, "SENDING")
    assert BreakerEvent.objects.count() == before
