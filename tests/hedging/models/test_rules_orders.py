"""What of an order may change once it is in the world."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from hedging.models import Intent
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


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


def _database_now() -> Any:
    return sql("SELECT clock_timestamp()")[0][0]
