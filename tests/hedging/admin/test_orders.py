"""The order's page: its history, its worst case, and never its signature."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from hedging.admin.orders import alarm_of, worst_case_usd
from hedging.admin.payloads import redacted
from tests import factories as make

pytestmark = pytest.mark.django_db


def read(client, row) -> str:
    return client.get(reverse("admin:hedging_order_change", args=[row.pk])).content.decode()


def test_the_page_tells_every_change_every_send_and_every_trade(officer):
    order = make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    html = read(officer, order)
    for words in ("Born", "Prepared", "Sending", "Filled", "host:1", "$0.08", "$3.68", "Confirmed"):
        assert words in html


def test_the_signature_and_the_key_are_never_shown(officer):
    order = make.order(make.intent(make.instrument()), state="ACKED")
    html = read(officer, order)
    assert "0xsecret" not in html
    assert "api-key-secret" not in html
    assert "•••" in html
    assert str(order.salt) in html


def test_secrets_are_hidden_at_any_depth_and_whatever_their_case():
    text = redacted(b'{"a": [{"Signature": "s1", "b": {"PASSPHRASE": "s2", "price": "0.5"}}], "owner": "s3"}')
    assert "s1" not in text
    assert "s2" not in text
    assert "s3" not in text
    assert '"price": "0.5"' in text


def test_bytes_that_are_not_json_are_not_shown():
    assert redacted(b"\xff\x00secret") == "8 bytes that are not JSON"


def test_an_order_in_doubt_says_what_it_may_cost_and_how_far_the_proof_is(officer):
    order = make.order(make.intent(make.instrument()), state="UNKNOWN")
    text = alarm_of(order, now=make.NOW + timedelta(minutes=7))
    assert text == (
        "In doubt: sent 7 min ago, no definitive answer (read timed out after the request was sent). It may still cost "
        "$84.00. Proofs of absence: 0 of 2. The look-ups go on. It is never sent again by hand."
    )
    assert "In doubt: sent" in read(officer, order)


def test_an_order_for_a_person_says_so():
    order = make.order(make.intent(make.instrument()), state="MANUAL")
    assert "Only a person may decide." in alarm_of(order, now=make.NOW)


@pytest.mark.parametrize(
    "state, worst",
    [
        ("PREPARED", 84),
        ("ACKED", 84),
        ("UNKNOWN", 84),
        ("MANUAL", 84),
        ("REJECTED", 0),
        ("CANCELLED", 0),
        ("ABORTED", 0),
    ],
)
def test_the_worst_case_is_the_amount_and_the_highest_fee_while_the_order_lives(state, worst):
    assert worst_case_usd(make.order(make.intent(make.instrument()), state=state)) == worst


def test_what_has_traded_is_no_longer_to_come():
    order = make.order(
        make.intent(make.instrument()),
        state="PARTIAL",
        fills=[{"size": "500", "price": "0.08", "fee_usd": "1.84"}],
    )
    assert worst_case_usd(order) == Decimal(44)


def test_the_needs_eyes_filter_shows_only_unknown_and_manual(officer):
    token = make.instrument()
    unknown = make.order(make.intent(token), state="UNKNOWN")
    acked = make.order(make.intent(token), state="ACKED")
    html = officer.get(reverse("admin:hedging_order_changelist") + "?standing=eyes").content.decode()
    assert reverse("admin:hedging_order_change", args=[unknown.pk]) in html
    assert reverse("admin:hedging_order_change", args=[acked.pk]) not in html


def test_there_is_no_button_that_sends_again(officer):
    html = read(officer, make.order(make.intent(make.instrument()), state="UNKNOWN"))
    assert "Look up now" in html
    assert "Retry" not in html
    assert "Resend" not in html


def test_looking_up_needs_the_right_to_change(guest):
    order = make.order(make.intent(make.instrument()), state="UNKNOWN")
    assert (
        guest("hedging.view_order")
        .post(reverse("admin:hedging_order_look_up_now", args=[order.pk]))
        .status_code
        == 403
    )
