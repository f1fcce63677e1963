"""Each time bytes may touch the wire is on record before, with the same bytes, and stays as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from hedging.models import Order, OrderAttempt
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db
NOT_SENDING = [
    "PREPARED",
    "UNKNOWN",
    "MANUAL",
    "ACKED",
    "PARTIAL",
    "FILLED",
    "CANCELLED",
    "REJECTED",
    "ABORTED",
]


def _order(state: str) -> Order:
    return make.order(make.intent(make.instrument()), state=state, fills=[{}] if state == "FILLED" else [])


@pytest.mark.parametrize("state", NOT_SENDING)
def test_only_an_order_in_sending_has_attempts_added(state: str) -> None:
    row = _order(state)
    with refused("HB030", saying=f"({state})"):
        make.attempt(row, attempt_no=row.attempts + 1)


def test_an_attempt_cannot_come_before_its_order() -> None:
    row = _order("SENDING")
    with refused("HB030", saying="no such order"):
        make.attempt(row, order=None, order_id=row.intent_id)


def test_an_attempts_bytes_are_the_orders() -> None:
    row = _order("UNKNOWN")
    with refused("HB031"), transaction.atomic():
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = 2 WHERE id = %s", row.pk)
        make.attempt(row, payload_sha=bytes(32))


@pytest.mark.parametrize("number", [1, 3])
def test_an_attempts_number_is_the_orders_count(number: int) -> None:
    row = _order("UNKNOWN")
    with refused("HB032"), transaction.atomic():
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = 2 WHERE id = %s", row.pk)
        make.attempt(row, attempt_no=number)


@pytest.mark.parametrize("state", ["PREPARED", "UNKNOWN"])
def test_no_order_is_committed_to_send_without_its_attempt(state: str) -> None:
    row = _order(state)
    with refused("HB035", saying=f"without attempt {row.attempts + 1} on record"):
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = attempts + 1 WHERE id = %s", row.pk)


@pytest.mark.django_db(transaction=True)
def test_the_commit_itself_asks_for_the_attempt() -> None:
    row = _order("PREPARED")
    with refused("HB035"):
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = 1 WHERE id = %s", row.pk)
    with transaction.atomic():
        sql("UPDATE hedging_order SET state = 'SENDING', attempts = 1 WHERE id = %s", row.pk)
        make.attempt(row)
    row.refresh_from_db()
    assert (row.state, row.attempt_rows.count()) == ("SENDING", 1)


@pytest.mark.parametrize(
    "change",
    [
        "order_id = gen_random_uuid()",
        "attempt_no = 2",
        "payload_sha = sha256('other')",
        "worker = 'another:1'",
        "started_at = started_at + interval '1 second'",
    ],
)
def test_what_was_sent_when_and_by_whom_never_changes(change: str) -> None:
    row = _order("SENDING").attempt_rows.get()
    with refused("HB034"):
        sql(f"UPDATE hedging_orderattempt SET {change} WHERE id = %s", row.pk)


def test_an_answer_is_written_once() -> None:
    row = _order("SENDING").attempt_rows.get()
    answered = make.NOW + timedelta(seconds=1)
    for finished_at in (None, answered):
        OrderAttempt.objects.filter(pk=row.pk).update(
            outcome="Accepted", http_status=200, finished_at=finished_at
        )
    with refused("HB033"):
        OrderAttempt.objects.filter(pk=row.pk).update(outcome="Rejected")
    row.refresh_from_db()
    assert (row.outcome, row.http_status, row.finished_at) == ("Accepted", 200, answered)
