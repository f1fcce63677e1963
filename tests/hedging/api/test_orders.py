"""Orders as machines read them: their whole history, and never the signed bytes."""

from __future__ import annotations

import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v2/hedges/orders"


def test_orders_are_listed_newest_first_and_filtered_by_state(ask):
    token = make.instrument()
    filled = make.order(make.intent(token), state="FILLED", fills=[{}])
    doubtful = make.order(make.intent(token), state="UNKNOWN")

    _, body = ask(URL)

    assert [row["id"] for row in body["results"]] == [str(doubtful.pk), str(filled.pk)]
    assert body["results"][1]["filled_usd"] == "80.000000"
    assert body["results"][1]["question"] == token.question
    assert [row["id"] for row in ask(URL, state="UNKNOWN")[1]["results"]] == [str(doubtful.pk)]
    assert ask(URL, state="LOST")[0] == 400


def test_one_order_tells_its_events_attempts_and_fills(ask):
    run = make.cycle()
    order = make.order(
        make.intent(make.instrument(), of=run),
        state="FILLED",
        fills=[{"size": "1000", "settlement": "mined"}],
    )

    _, body = ask(f"{URL}/{order.pk}")

    assert body["cycle"] == run.pk
    assert [(event["old"], event["new"]) for event in body["events"]] == [
        (None, "PREPARED"),
        ("PREPARED", "SENDING"),
        ("SENDING", "FILLED"),
    ]
    assert [attempt["worker"] for attempt in body["attempt_rows"]] == ["host:1"]
    assert [(fill["size"], fill["settlement"]) for fill in body["fills"]] == [("1000.00000000", "mined")]


def test_the_signature_and_the_key_are_in_no_answer(ask):
    order = make.order(make.intent(make.instrument()), state="ACKED")
    told = json.dumps([ask(URL)[1], ask(f"{URL}/{order.pk}")[1]])
    assert "0xsecret" not in told
    assert "api-key-secret" not in told
    assert "payload" not in told


def test_more_orders_do_not_cost_more_queries(ask):
    token = make.instrument()

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            ask(URL)
        return len(seen)

    make.order(make.intent(token), state="ACKED")
    before = queries()
    for _ in range(5):
        make.order(make.intent(make.instrument(), of=make.cycle()), state="ACKED")
    assert queries() == before == 3


def test_an_unknown_order_is_not_found(ask):
    assert ask(f"{URL}/{uuid.uuid4()}")[0] == 404
