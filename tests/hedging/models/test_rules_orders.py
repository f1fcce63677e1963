"""How an order may come into the world, and what of it may change afterwards."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from hedging.models import Intent, Order
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def wanted() -> Intent:
    """A decision to buy 1,000 for at most $80, at 10 cents or better."""
    return make.intent(make.instrument())


@pytest.fixture
def sale() -> Intent:
    """A decision to sell 1,000, at 4 cents or better."""
    return make.intent(
        make.instrument(), side="SELL", purpose="close", notional_usd=Decimal(40), price_limit=Decimal("0.04")
    )


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


# ------------------------------------------------------------------------------------------------ life
FROZEN = {
    "id": "gen_random_uuid()",
    "intent_id": "gen_random_uuid()",
    "generation": "generation + 1",
    "venue_id": "'allianz'",
    "instrument_id": "instrument_id + 1",
    "client_order_id": "'0xother'",
    "salt": "salt + 1",
    "payload": "'\\x00'",
    "payload_sha": "sha256('\\x00')",
    "side": "'SELL'",
    "time_in_force": "'FOK'",
    "size": "size + 0.00000001",
    "notional_usd": "notional_usd + 0.000001",
    "price_limit": "price_limit + 0.0000000001",
    "fee_usd_max": "fee_usd_max - 0.000001",
    "spends_budget": "NOT spends_budget",
    "is_reducing": "NOT is_reducing",
    "resend_allowed": "NOT resend_allowed",
    "fence_at": "now()",
}


@pytest.mark.parametrize("state", ["PREPARED", "UNKNOWN"])
@pytest.mark.parametrize("column", FROZEN)
def test_what_an_order_says_never_changes(wanted: Intent, column: str, state: str) -> None:
    row = make.order(wanted, state=state)
    with refused("HB020", saying="wire identity is immutable"):
        sql(f"UPDATE hedging_order SET {column} = {FROZEN[column]} WHERE id = %s", row.pk)


@pytest.mark.parametrize("column", ["filled_size", "filled_usd", "fee_usd"])
@pytest.mark.parametrize("step", ["+ 0.000001", "- 0.000001"])
def test_only_a_fill_changes_what_an_order_has_filled(wanted: Intent, column: str, step: str) -> None:
    row = make.order(wanted, state="PARTIAL", fills=[{"size": "100"}])
    with refused("HB021"):
        sql(f"UPDATE hedging_order SET {column} = {column} {step} WHERE id = %s", row.pk)


@pytest.mark.parametrize("state", ["PREPARED", "SENDING", "UNKNOWN"])
@pytest.mark.parametrize("step", [1, -1])
def test_attempts_count_sends_and_nothing_else(wanted: Intent, state: str, step: int) -> None:
    row = make.order(wanted, state=state)
    with refused("HB022"):
        sql("UPDATE hedging_order SET attempts = attempts + %s WHERE id = %s", step, row.pk)


@pytest.mark.parametrize("step", [0, 2, -1])
def test_each_send_counts_one_attempt(wanted: Intent, step: int) -> None:
    row = make.order(wanted, state="UNKNOWN")
    with refused("HB025"):
        sql(
            "UPDATE hedging_order SET state = 'SENDING', attempts = attempts + %s WHERE id = %s", step, row.pk
        )


def test_bytes_are_sent_again_only_where_the_venue_deduplicates_them(wanted: Intent) -> None:
    fence = make.NOW - timedelta(days=1)
    row = make.order(wanted, state="UNKNOWN", resend_allowed=False, fence_at=fence)
    with refused("HB024"):
        make.order_move(row, "SENDING")
    again = make.order(make.intent(make.instrument()), state="UNKNOWN")
    make.order_move(again, "SENDING")
    assert (again.state, again.attempts) == ("SENDING", 2)


def test_a_no_to_a_resend_proves_nothing_about_the_first_send(wanted: Intent) -> None:
    row = make.order(wanted, state="UNKNOWN")
    make.order_move(row, "SENDING")
    with refused("HB028"):
        make.order_move(row, "REJECTED")
    make.order_move(row, "UNKNOWN")
    make.order_move(row, "REJECTED")
    assert row.state == "REJECTED"


def test_absence_waits_for_the_fence(wanted: Intent) -> None:
    row = make.order(wanted, state="UNKNOWN", fence_at=_database_now() + timedelta(hours=1))
    with refused("HB026"):
        make.order_move(row, "NOT_PLACED")
    make.order_move(row, "MANUAL")
    make.order_move(row, "NOT_PLACED")
    assert row.state == "NOT_PLACED"


def test_absence_may_be_declared_once_the_fence_has_passed(wanted: Intent) -> None:
    row = make.order(wanted, state="NOT_PLACED", fence_at=_database_now() - timedelta(seconds=1))
    assert row.absent_proofs == 2


def test_filled_needs_its_fills(wanted: Intent) -> None:
    row = make.order(wanted, state="ACKED")
    make.fill(row, size="989.74")
    with refused("HB027", saying="79.179200 of 80.000000 USD"):
        make.order_move(row, "FILLED")
    make.fill(row, size="0.01")
    make.order_move(row, "FILLED")
    assert row.filled_usd == Decimal("79.18")


def test_a_sale_is_filled_by_units(sale: Intent) -> None:
    row = make.order(sale, state="ACKED")
    make.fill(row, size="989.97", price="0.05", settlement="matched")
    with refused("HB027", saying="989.97000000 of 1000.00000000 units"):
        make.order_move(row, "FILLED")
    make.fill(row, size="0.01", price="0.05", settlement="matched")
    make.order_move(row, "FILLED")
    assert row.filled_size == Decimal("989.98")


def test_every_write_raises_the_version(wanted: Intent) -> None:
    row = make.order(wanted)
    for _ in range(3):
        sql("UPDATE hedging_order SET version = 0, checks = checks + 1 WHERE id = %s", row.pk)
    row.refresh_from_db()
    assert row.version == 3


@pytest.mark.django_db(transaction=True)
def test_a_move_is_announced_after_its_commit_and_only_then(wanted: Intent) -> None:
    row = make.order(wanted)
    sql("LISTEN hedging_order")
    with transaction.atomic():
        sql("UPDATE hedging_order SET state = 'ABORTED' WHERE id = %s", row.pk)
        transaction.set_rollback(True)
    sql("UPDATE hedging_order SET state = 'ABORTED' WHERE id = %s", row.pk)
    notices = list(connection.connection.notifies(timeout=5, stop_after=1))
    assert [notice.payload for notice in notices] == [f"{row.pk} ABORTED"]


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


def _database_now() -> Any:
    return sql("SELECT clock_timestamp()")[0][0]
