"""A parked decision blocks its market until a person gives it up, with a reason."""

from __future__ import annotations

import pytest

from hedging.models import Intent
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def parked(db) -> Intent:
    row = make.intent(make.instrument())
    Intent.objects.filter(pk=row.pk).update(state="PARKED", outcome="parked after 30 tries")
    return row


def address(row: Intent) -> str:
    return f"/admin/hedging/intent/{row.pk}/give-up/"


def test_it_is_given_up_with_a_reason_and_a_name(officer, parked):
    assert officer.get(address(parked)).status_code == 200
    assert Intent.objects.get().state == "PARKED"
    assert officer.post(address(parked), {"reason": "market closed"}).status_code == 302
    row = Intent.objects.get()
    assert (row.state, row.outcome) == ("ABANDONED", "given up by risk.officer: market closed")
    assert row.finished_at is not None


def test_without_a_reason_nothing_happens(officer, parked):
    assert officer.post(address(parked), {"reason": ""}).status_code == 400
    assert Intent.objects.get().state == "PARKED"


def test_one_with_a_live_order_stays(officer):
    row = make.intent(make.instrument())
    make.order(row, state="UNKNOWN")
    Intent.objects.filter(pk=row.pk).update(state="PARKED")
    answer = officer.post(address(row), {"reason": "market closed"})
    assert answer.status_code == 400
    assert "an order of it is not over yet" in answer.content.decode()
    assert Intent.objects.get().state == "PARKED"


def test_one_at_work_is_not_given_up_by_hand(officer):
    row = make.intent(make.instrument())
    answer = officer.post(address(row), {"reason": "market closed"})
    assert answer.status_code == 400
    assert "only a parked decision" in answer.content.decode()


def test_those_who_only_look_cannot(guest, parked):
    assert guest("hedging.view_intent").post(address(parked), {"reason": "market closed"}).status_code == 403
    assert Intent.objects.get().state == "PARKED"
