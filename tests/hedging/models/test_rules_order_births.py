"""How an order may come into the world, and how much of its decision it may take."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from hedging.models import Intent, Order
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


# ------------------------------------------------------------------------------------------------ birth
def test_an_order_is_born_prepared_with_its_first_event(wanted: Intent) -> None:
    row = make.order(wanted)
    assert list(row.events.values_list("old", "new")) == [(None, "PREPARED")]


@pytest.mark.parametrize("state", ["SENDING", "ACKED", "FILLED", "ABORTED"])
def test_an_order_cannot_be_born_in_another_state(wanted: Intent, state: str) -> None:
    with refused("HB010", saying=f"not {state}"):
        Order.objects.create(**_columns(wanted), state=state)


@pytest.mark.parametrize("state", ["PARKED", "DONE", "ABANDONED"])
def test_only_an_open_intent_gets_orders(wanted: Intent, state: str) -> None:
    finished = None if state == "PARKED" else make.NOW
    sql("UPDATE hedging_intent SET state = %s, finished_at = %s WHERE id = %s", state, finished, wanted.pk)
    with refused("HB011", saying=f"is {state}, not OPEN"):
        make.order(wanted)


def test_an_order_cannot_come_before_its_intent(wanted: Intent) -> None:
    """The foreign key is asked at commit only: without the rule, an intent inserted later would cap nothing."""
    with refused("HB011", saying="is missing, not OPEN"):
        Order.objects.create(**_columns(wanted) | {"intent": None, "intent_id": make.order(wanted).pk})


@pytest.mark.parametrize(
    "change",
    [
        {"side": "SELL", "spends_budget": False},
        {"is_reducing": True},
        {"venue_id": "allianz"},
        {"instrument_id": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_order_says_what_its_intent_says(wanted: Intent, change: dict[str, Any]) -> None:
    if change.get("instrument_id"):
        change = {"instrument_id": make.instrument().pk}
    with refused("HB012"):
        make.order(wanted, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"attempts": 1},
        {"absent_proofs": 2},
        {"filled_size": Decimal("0.00000001")},
        {"filled_usd": Decimal("-0.000001")},
        {"fee_usd": Decimal("0.000001")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_order_is_born_unsent_and_unfilled(wanted: Intent, change: dict[str, Any]) -> None:
    with refused("HB015"):
        make.order(wanted, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"client_order_id": ""},
        {"payload": b"", "payload_sha": hashlib.sha256(b"").digest()},
        {"payload": b"these bytes", "payload_sha": hashlib.sha256(b"other bytes").digest()},
    ],
    ids=["no name", "no bytes", "another's hash"],
)
def test_an_order_has_a_name_bytes_and_their_hash(wanted: Intent, change: dict[str, Any]) -> None:
    with refused("HB016"):
        make.order(wanted, **change)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("price_limit", "0"),
        ("price_limit", "NaN"),
        ("fee_usd_max", "-0.000001"),
        ("fee_usd_max", "NaN"),
        ("size", "NaN"),
        ("notional_usd", "NaN"),
    ],
)
def test_an_orders_figures_are_figures(wanted: Intent, column: str, value: str) -> None:
    """A NaN is greater than every number to PostgreSQL, so that it passes `> 0` and defeats a cap."""
    with refused("HB017"):
        _insert(wanted, **{column: value})


def test_a_limitless_intent_gets_no_order(wanted: Intent) -> None:
    columns = _columns(wanted)
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE hedging_intent DISABLE TRIGGER intent_move")
    sql("UPDATE hedging_intent SET notional_usd = 'NaN' WHERE id = %s", wanted.pk)
    with refused("HB017"):
        Order.objects.create(**columns)


def test_a_sale_is_never_capped_by_money(sale: Intent) -> None:
    with refused("HB017", saying="only a BUY spends a budget"):
        make.order(sale, spends_budget=True)


def test_a_buy_may_not_pay_more_per_unit_than_its_intent(wanted: Intent) -> None:
    with refused("HB018"):
        make.order(wanted, price_limit=Decimal("0.1000000001"))
    assert make.order(wanted, price_limit=Decimal("0.0999999999")).state == "PREPARED"


def test_a_sale_may_not_take_less_per_unit_than_its_intent(sale: Intent) -> None:
    with refused("HB018"):
        make.order(sale, price_limit=Decimal("0.0399999999"))
    assert make.order(sale, price_limit=Decimal("0.0400000001")).state == "PREPARED"


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.django_db(transaction=True)
def test_orders_are_neither_made_nor_sent_on_an_old_snapshot(wanted: Intent, level: str) -> None:
    """Above READ COMMITTED a lock does not show what its last holder committed: two sends could count one old sum."""
    columns, prepared = _columns(wanted), make.order(make.intent(make.instrument()))
    for attack in (
        lambda: Order.objects.create(**columns),
        lambda: sql("UPDATE hedging_order SET state = 'SENDING', attempts = 1 WHERE id = %s", prepared.pk),
    ):
        with refused("HB003", saying=level.lower()):
            sql(f"SET TRANSACTION ISOLATION LEVEL {level}")
            attack()


# ------------------------------------------------------------------------------------------------ the intent's cap
def test_a_budget_order_is_capped_by_the_intents_money(wanted: Intent) -> None:
    with refused("HB014", saying="0 + 80.010001 > 80.000000 USD"):
        make.order(wanted, notional_usd=Decimal("80.010001"))
    assert make.order(wanted, notional_usd=Decimal("80.01"), size=Decimal(5000)).size == Decimal(5000)


def test_a_unit_order_is_capped_by_the_intents_units_and_a_buy_by_its_money_too(wanted: Intent) -> None:
    with refused("HB014", saying="units"):
        make.order(wanted, spends_budget=False, size=Decimal("1000.01000001"))
    with refused("HB014", saying="USD"):
        make.order(wanted, spends_budget=False, notional_usd=Decimal("80.010001"))
    assert make.order(wanted, spends_budget=False, size=Decimal("1000.01")).state == "PREPARED"


def test_a_sale_is_capped_by_the_intents_units_and_not_by_money(sale: Intent) -> None:
    with refused("HB014", saying="0 + 1000.01000001 > 1000.00000000 units"):
        make.order(sale, size=Decimal("1000.01000001"))
    assert make.order(sale, notional_usd=Decimal(990)).state == "PREPARED"


@pytest.mark.parametrize("settlement", ["matched", "confirmed", "failed"])
def test_what_earlier_orders_spent_is_spent_whatever_became_of_it(wanted: Intent, settlement: str) -> None:
    make.order(wanted, state="CANCELLED", fills=[{"size": "500", "settlement": settlement}])
    with refused("HB014", saying="40.000000 + 40.010001 > 80.000000 USD"):
        make.order(wanted, notional_usd=Decimal("40.010001"))
    assert make.order(wanted, notional_usd=Decimal(40)).generation == 1


def test_what_earlier_sales_delivered_is_delivered(sale: Intent) -> None:
    make.order(sale, state="CANCELLED", fills=[{"size": "400", "price": "0.05", "settlement": "matched"}])
    with refused("HB014", saying="units"):
        make.order(sale, size=Decimal("600.01000001"))
    assert make.order(sale, size=Decimal(600)).generation == 1


def test_the_rounding_cent_is_granted_once_and_not_per_order(wanted: Intent) -> None:
    make.order(wanted, state="CANCELLED", notional_usd=Decimal("80.01"), fills=[{"size": "1000.125"}])
    with refused("HB014", saying="80.010000 + 0.000001"):
        make.order(wanted, notional_usd=Decimal("0.000001"))


# ------------------------------------------------------------------------------------------------ generations
@pytest.mark.parametrize("state", ["FILLED", "REJECTED", "NOT_PLACED", "CANCELLED", "EXPIRED", "ABORTED"])
def test_an_ended_order_may_have_a_successor(wanted: Intent, state: str) -> None:
    part: dict[str, Any] = {"notional_usd": Decimal(40), "size": Decimal(500)}
    make.order(wanted, state=state, fills=[{"size": "500"}] if state == "FILLED" else [], **part)
    assert make.order(wanted, **part).generation == 1


@pytest.mark.parametrize("state", ["PREPARED", "SENDING", "UNKNOWN", "MANUAL", "ACKED", "PARTIAL"])
def test_a_live_order_has_none(wanted: Intent, state: str) -> None:
    make.order(wanted, state=state)
    with refused("HB013", saying="generation 1 needs a dead predecessor"):
        make.order(wanted)


def test_generations_leave_no_gap(wanted: Intent) -> None:
    make.order(wanted, state="REJECTED")
    with refused("HB013", saying="generation 2"):
        make.order(wanted, generation=2)


def test_an_order_revived_for_a_person_blocks_its_intent(wanted: Intent) -> None:
    make.order(wanted, state="REJECTED")
    second = make.order(wanted, state="REJECTED")
    make.order_move(wanted.orders.get(generation=0), "MANUAL")
    with refused("order_one_live_per_intent"):
        make.order(wanted)
    with refused("order_one_live_per_intent"):
        make.order_move(second, "MANUAL")


# ------------------------------------------------------------------------------------------------ rows
def _columns(wanted: Intent) -> dict[str, Any]:
    """The columns of a sound order, not yet written."""
    with transaction.atomic():
        row = make.order(wanted)
        values = {
            field.attname: getattr(row, field.attname)
            for field in Order._meta.concrete_fields
            if field.name not in ("id", "state", "version", "created_at", "updated_at")
        }
        transaction.set_rollback(True)
    return values


def _insert(wanted: Intent, **changes: str) -> None:
    """Insert an order with figures that Django would refuse to write."""
    columns = (
        _columns(wanted)
        | {"id": make.order(make.intent(make.instrument())).pk, "state": "PREPARED"}
        | changes
    )
    columns |= {"id": wanted.pk, "version": 0, "created_at": make.NOW, "updated_at": make.NOW}
    marks = ", ".join(["%s"] * len(columns))
    sql(f"INSERT INTO hedging_order ({', '.join(columns)}) VALUES ({marks})", *columns.values())
