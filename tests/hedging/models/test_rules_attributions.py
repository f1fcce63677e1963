"""An attribution gives what its trades brought, once, on one market; a policy that ends is noted as it ends."""

from __future__ import annotations

import pytest
from django.db import connection

from hedging.models import EndedPolicy, Fill
from policies.models import Policy
from tests import factories as make
from tests.hedging.models.refusals import refused, sql

pytestmark = pytest.mark.django_db


def bought() -> Fill:
    """A confirmed purchase of 1,000 units for $83.68, fees included."""
    return make.order(make.intent(make.instrument()), state="FILLED", fills=[{}]).fills.get()


@pytest.mark.parametrize(
    ("size", "cost_usd", "slices"),
    [("999.99999999", "83.68", 0), ("1000", "83.679999", 0), ("1000", "83.68", 1), ("1000", "83.68", 0)],
)
def test_an_attribution_that_gives_other_than_it_took_is_refused(
    size: str, cost_usd: str, slices: int
) -> None:
    fill = bought()
    with refused("HB082"):
        make.attribution(fill, size=size, cost_usd=cost_usd, slices_count=slices)


def test_an_attribution_without_its_trade_is_refused() -> None:
    fill = bought()
    with refused("HB082"):
        # As if the trade had never been named: the rule that names it once is asleep.
        make.attribution(fill, size="0", cost_usd="0", slices_count=0)
        sql("SET LOCAL session_replication_role = replica")
        sql("UPDATE hedging_fill SET attribution_id = NULL WHERE id = %s", fill.pk)
        sql("SET LOCAL session_replication_role = DEFAULT")


def test_a_slice_of_another_market_is_refused() -> None:
    fill, other = bought(), make.instrument()
    with refused("HB083"):
        row = make.hedge_position(fill, make.policy(make.product()))
        sql("ALTER TABLE hedging_hedgeposition DISABLE TRIGGER hedgeposition_move")
        sql("UPDATE hedging_hedgeposition SET instrument_id = %s WHERE id = %s", other.pk, row.pk)


def test_a_trade_is_divided_once() -> None:
    first, second = (make.hedge_position(bought(), make.policy(make.product())) for _ in range(2))
    connection.check_constraints()
    with refused("HB084"):
        Fill.objects.filter(attribution_id=first.attribution_id).update(attribution_id=second.attribution_id)


def test_a_policy_that_ends_is_noted_with_the_change_that_ends_it() -> None:
    stays, ends = make.policy(make.product()), make.policy(make.product())
    never_began = make.policy(make.product(), status="scheduled")

    Policy.objects.filter(pk__in=[ends.pk, never_began.pk]).update(status="cancelled", ended_at=make.NOW)

    assert list(EndedPolicy.objects.values_list("policy_id", "ended_at")) == [(ends.pk, make.NOW)]
    assert not EndedPolicy.objects.filter(policy=stays).exists()
