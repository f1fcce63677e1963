"""Each standing invariant finds what breaks it, and only that."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection

from hedging.models import Fill, Order
from hedging.services.attributions import attributions_make
from hedging.services.fills import fills_ingest
from hedging.services.verification import _QUESTIONS, Violation, invariants_count, verify_book
from tests import factories
from tests.reports import fill_report
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db

# What a rule of the database would refuse, planted with the rules asleep: invariant -> the statement that breaks it.
PLANTED = {
    "an order's filled amounts equal the sum of its fills": "UPDATE hedging_order SET filled_size = 99",
    "a position's size equals confirmed purchases less confirmed sales": """
        UPDATE hedging_position SET size = size + 0.000001""",
    "every confirmed fill has a position": """
        UPDATE hedging_hedgeposition SET status = 'closed', closed_size = size, close_time = now();
        UPDATE hedging_heldshare SET open_size = 0, open_cost_usd = 0, open_count = 0, closed_count = 1;
        DELETE FROM hedging_position""",
    "a position's cost and realised P&L equal the cash that went in and out": """
        UPDATE hedging_position SET cost_usd = cost_usd - 0.000001""",
    "the slices of an attribution add up to it, in number, size and cost": """
        UPDATE hedging_hedgeposition SET hedge_amount_usd = hedge_amount_usd + 0.000001;
        UPDATE hedging_heldshare SET open_cost_usd = open_cost_usd + 0.000001""",
    "an attribution divides exactly what its trades brought": """
        UPDATE hedging_attribution SET fills_count = 2""",
    "every slice belongs to an attribution of its instrument": """
        UPDATE hedging_attribution SET instrument_id = instrument_id + 1""",
    "a confirmed purchase is divided among policies within two days": """
        UPDATE hedging_fill SET attribution_id = NULL, settled_at = now() - interval '49 hours';
        DELETE FROM hedging_attribution; DELETE FROM hedging_hedgeposition; DELETE FROM hedging_heldshare""",
    "the kept sums of slices equal the slices": "UPDATE hedging_heldshare SET closed_count = 1",
    "every ended policy with an open slice is noted": """
        UPDATE policies_policy SET status = 'cancelled', ended_at = now();
        UPDATE policies_exposure SET coverage_usd = 0, policies_count = 0; DELETE FROM policies_exposuredelta""",
    "open slices never exceed the position": """
        UPDATE hedging_hedgeposition SET size = 101; UPDATE hedging_fill SET size = 101;
        UPDATE hedging_attribution SET size = 101; UPDATE hedging_heldshare SET open_size = 101;
        UPDATE hedging_order SET filled_size = 101""",
    "a finished intent has no live order": """
        UPDATE hedging_intent SET state = 'DONE', finished_at = now()""",
    "orders of an intent never exceed it": "UPDATE hedging_intent SET notional_usd = 3.98",
    "an order's last event is its state": "UPDATE hedging_order SET state = 'PARTIAL'",
    "every sent order has as many attempt rows as attempts": "DELETE FROM hedging_orderattempt",
    "no order is stuck in SENDING": """
        UPDATE hedging_order SET state = 'SENDING', sent_at = now() - interval '301 seconds';
        INSERT INTO hedging_orderevent (order_id, old, new, at, who, reason)
          SELECT id, 'PREPARED', 'SENDING', now(), '', '' FROM hedging_order""",
    "what is at risk stays within each limit": """
        UPDATE hedging_riskbucket SET cap_usd = 4.19 WHERE code = 'global'""",
}

# Where one planted row breaks a second rule too.
ALSO = {
    "open slices never exceed the position": {
        "a position's size equals confirmed purchases less confirmed sales"
    },
}


@pytest.fixture
def order() -> Order:
    """A purchase of 100 units at 4 cents with 20 cents of fees, all of it one policy's."""
    product = factories.product()
    factories.policy(product)
    row = factories.order(
        factories.intent(factories.instrument(), demand={product.pk: "1000"}), state="ACKED"
    )
    fills_ingest(row.pk, [fill_report(row, size="100", fee_usd="0.2")], now=utc_now())
    attributions_make("polymarket", now=utc_now(), every_s=0, instrument_rows=[row.instrument_id])
    row.refresh_from_db()
    return row


def plant(statement: str) -> None:
    """Run a statement that no rule of the database sees."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_a_sound_book_has_no_violation(order: Order) -> None:
    assert verify_book() == []
    assert (Fill.objects.count(), invariants_count()) == (1, len(_QUESTIONS) + 1)


@pytest.mark.parametrize("invariant", _QUESTIONS)
def test_an_invariant_finds_what_breaks_it(order: Order, invariant: str) -> None:
    plant(PLANTED[invariant])

    broken = {violation.invariant for violation in verify_book()}

    assert broken == {invariant} | ALSO.get(invariant, set())


def test_every_invariant_is_tried_here() -> None:
    assert set(PLANTED) == set(_QUESTIONS)


def test_exposure_that_differs_from_the_policies_is_found(order: Order) -> None:
    plant("UPDATE policies_policy SET coverage_usd = coverage_usd + 0.000001")

    (violation,) = verify_book()
    assert violation.invariant == "kept exposure equals the scan"


def test_five_rows_of_each_violation_are_shown(order: Order) -> None:
    product = factories.product(chain="arbitrum")
    for _ in range(6):
        intent = factories.intent(factories.instrument(), demand={product.pk: "10"})
        other = factories.order(intent, state="ACKED")
        fills_ingest(other.pk, [fill_report(other, size="10")], now=utc_now())
    plant("UPDATE hedging_position SET size = size + 1, cost_usd = cost_usd")

    found = verify_book()

    assert {row.invariant for row in found} == {
        "a position's size equals confirmed purchases less confirmed sales"
    }
    assert len(found) == 5
    assert all(isinstance(row, Violation) and Decimal(row.detail.split(", ")[1]) > 10 for row in found)
