"""A purchase is divided among the policies it was made for, a sale among the slices it closes: to the micro-unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.attribution import attribute_exact
from hedging.models import HedgePosition, IntentSlice, Order, Position
from hedging.services.attributions import slices_release_unsellable, split_purchase
from hedging.services.fills import fills_ingest
from hedging.services.verification import verify_book
from policies.models import Policy
from policies.selectors.policies import Weights
from policies.services.policies import policy_cancel
from tests import factories
from tests.reports import fill_report
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.money import to_micro
from venues.models import Instrument

MICRO = st.integers(1, 10**15)
POLICIES = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(0, 4), MICRO),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[0],
).map(sorted)


def weights_of(rows: list[tuple[int, int, int]]) -> Weights:
    """(policy id, product id, coverage in micro-dollars), ordered by id, as the selector gives them."""
    return Weights(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        product_ids=np.array([row[1] for row in rows], dtype=np.int16),
        coverage_micro=np.array([row[2] for row in rows], dtype=np.int64),
    )


# ------------------------------------------------------------------------------------------------- the rule
@given(
    rows=POLICIES,
    demand=st.dictionaries(st.integers(0, 4), MICRO, min_size=1),
    size=st.integers(1, 10**14),
    cost=st.integers(0, 10**14),
)
def test_a_purchase_is_divided_exactly_products_first_then_policies_by_cover(
    rows: list[tuple[int, int, int]], demand: dict[int, int], size: int, cost: int
) -> None:
    split = split_purchase(size, cost, demand, weights_of(rows))

    present = [product for product in sorted(demand) if any(row[1] == product for row in rows)]
    if not present:
        assert len(split.policy_ids) == 0
        return
    assert sum(split.size_micro.tolist()) == size
    assert sum(split.cost_micro.tolist()) == cost
    per_product = attribute_exact(size, [demand[product] for product in present])
    expected: dict[int, int] = {}
    for product, units in zip(present, per_product, strict=True):
        mine = [row for row in rows if row[1] == product]
        parts = attribute_exact(units, [row[2] for row in mine])
        expected |= {row[0]: part for row, part in zip(mine, parts, strict=True) if part}
    got = dict(zip(split.policy_ids.tolist(), split.size_micro.tolist(), strict=True))
    assert got == expected
    costs = attribute_exact(cost, [expected[policy] for policy in sorted(expected)])
    assert split.cost_micro.tolist() == costs
    products = {row[0]: row[1] for row in rows}
    assert split.product_ids.tolist() == [products[policy] for policy in split.policy_ids.tolist()]


def test_units_that_do_not_divide_go_to_the_smallest_policy_ids() -> None:
    rows = [(policy, 0, 5_000_000) for policy in (11, 22, 33)]

    split = split_purchase(1_000_001, 40_000, {0: 1}, weights_of(rows))

    assert split.size_micro.tolist() == [333_334, 333_334, 333_333]
    assert split.cost_micro.tolist() == [13_334, 13_333, 13_333]


def test_a_purchase_for_products_without_policies_belongs_to_nobody() -> None:
    assert len(split_purchase(5, 5, {3: 1}, weights_of([(1, 0, 1)])).policy_ids) == 0


# ------------------------------------------------------------------------------------------------- in the book
@pytest.fixture
def on(transactional_db: None) -> Instrument:
    """The market that everybody is hedged on."""
    return factories.instrument()


def bought(on: Instrument, *, demand: dict[int, str], **values: Any) -> Order:
    """A purchase that the venue has acknowledged and nothing has traded of."""
    intent = factories.intent(on, demand=demand, leg="main", **values)
    return factories.order(intent, state="ACKED")


def sold(on: Instrument, slices: dict[HedgePosition, str], *, size: str) -> Order:
    """A sale that the venue has acknowledged, of these slices."""
    intent = factories.intent(
        on,
        purpose="close",
        side="SELL",
        size=Decimal(size),
        notional_usd=Decimal(1000),
        price_limit=Decimal("0.01"),
    )
    for row, part in slices.items():
        IntentSlice.objects.create(
            intent=intent, hedge_position=row, size=Decimal(part), closed_before=row.closed_size
        )
    return factories.order(intent, state="ACKED", spends_budget=False)


def slices_of(policy: Policy) -> list[tuple[Decimal, Decimal]]:
    """(units, cost) of a policy's slices, in the order they were bought."""
    rows = HedgePosition.objects.filter(policy=policy).order_by("pk")
    return list(rows.values_list("size", "hedge_amount_usd"))


def cancel(policy: Policy) -> None:
    """End a policy."""
    policy_cancel(policy.pk, reason="the customer asked", actor="tester", now=utc_now())


def test_each_partial_fill_divides_only_its_increment(on: Instrument) -> None:
    ethereum, arbitrum = factories.product(), factories.product(chain="arbitrum")
    large, small = factories.policy(ethereum, "60000"), factories.policy(ethereum, "20000")
    third = factories.policy(arbitrum, "10000")
    order = bought(on, demand={ethereum.pk: "300", arbitrum.pk: "100"})

    fills_ingest(order.pk, [fill_report(order, size="100", fee_usd="0.4")], now=utc_now())
    assert slices_of(large) == [(Decimal("56.25"), Decimal("2.475"))]
    assert slices_of(small) == [(Decimal("18.75"), Decimal("0.825"))]
    assert slices_of(third) == [(Decimal(25), Decimal("1.1"))]

    # One has ended before the next part trades: what it has stays, the rest is the others'.
    cancel(small)
    fills_ingest(
        order.pk, [fill_report(order, size="0.000003", price="0.04", notional_usd=Decimal(0))], now=utc_now()
    )
    assert slices_of(large)[1:] == [(Decimal("0.000002"), Decimal(0))]
    assert slices_of(third)[1:] == [(Decimal("0.000001"), Decimal(0))]
    assert slices_of(small) == [(Decimal("18.75"), Decimal("0.825"))]
    assert verify_book() == []


def test_a_purchase_for_one_policy_is_that_policys_alone(on: Instrument) -> None:
    product = factories.product()
    mine, other = factories.policy(product), factories.policy(product)
    order = bought(on, demand={product.pk: "100"}, policy_id=mine.pk)

    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())

    assert slices_of(mine) == [(Decimal(100), Decimal(4))]
    assert slices_of(other) == []


def test_a_purchase_whose_policies_have_all_ended_stays_on_the_position_alone(on: Instrument) -> None:
    product = factories.product()
    policy = factories.policy(product)
    order = bought(on, demand={product.pk: "100"})
    cancel(policy)

    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())

    assert HedgePosition.objects.count() == 0
    assert Position.objects.get().size == 100
    assert verify_book() == []


def two_ended(on: Instrument) -> tuple[HedgePosition, HedgePosition]:
    """The slices of two ended policies, 600 and 400 units at 4 cents, with $2 of fees."""
    product = factories.product()
    policies = [factories.policy(product, "60000"), factories.policy(product, "40000")]
    order = bought(on, demand={product.pk: "1000"})
    fills_ingest(order.pk, [fill_report(order, size="1000", fee_usd="2")], now=utc_now())
    for policy in policies:
        cancel(policy)
    first, second = HedgePosition.objects.order_by("pk")
    return first, second


def test_a_sale_closes_slices_in_proportion_and_shares_its_money(on: Instrument) -> None:
    first, second = two_ended(on)
    order = sold(on, {first: "600", second: "400"}, size="1000")

    fills_ingest(order.pk, [fill_report(order, size="500", price="0.06", fee_usd="1")], now=utc_now())
    first.refresh_from_db()
    second.refresh_from_db()
    assert [(row.closed_size, row.proceeds_usd, row.status) for row in (first, second)] == [
        (Decimal(300), Decimal("17.4"), "open"),
        (Decimal(200), Decimal("11.6"), "open"),
    ]
    # Half of the slice's cost of 600 x (4 cents + 0.2 cents of fees).
    assert first.realised_pnl_usd == Decimal("17.4") - Decimal("12.6")

    fills_ingest(order.pk, [fill_report(order, size="500", price="0.02", fee_usd="0")], now=utc_now())
    first.refresh_from_db()
    second.refresh_from_db()
    assert [(row.closed_size, row.proceeds_usd, row.status) for row in (first, second)] == [
        (Decimal(600), Decimal("23.4"), "closed"),
        (Decimal(400), Decimal("15.6"), "closed"),
    ]
    assert (first.realised_pnl_usd, second.realised_pnl_usd) == (Decimal("-1.8"), Decimal("-1.2"))
    position = Position.objects.get()
    assert (position.size, position.cost_usd, position.realised_pnl_usd) == (0, 0, Decimal(-3))
    assert verify_book() == []


def test_a_sale_of_parts_closes_these_parts_and_leaves_the_rest_to_be_sold_later(on: Instrument) -> None:
    first, second = two_ended(on)
    order = sold(on, {first: "100", second: "400"}, size="500")

    for size, open_then in [("250", (550, 200)), ("250", (500, 0))]:
        fills_ingest(order.pk, [fill_report(order, size=size, price="0.06")], now=utc_now())
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.size - first.closed_size, second.size - second.closed_size) == open_then

    # The thin market took 100 of 600 units: the other 500 are the policy's still, not the house's.
    assert (first.status, first.released_size, second.status) == ("open", 0, "closed")
    later = sold(on, {first: "500"}, size="500")
    fills_ingest(later.pk, [fill_report(later, size="500", price="0.03")], now=utc_now())
    first.refresh_from_db()
    assert (first.status, first.proceeds_usd, first.released_size) == ("closed", Decimal(21), 0)
    assert verify_book() == []


def test_what_is_sold_beyond_the_slices_keeps_its_money_on_the_position(on: Instrument) -> None:
    first, _ = two_ended(on)
    order = sold(on, {first: "100"}, size="250")

    fills_ingest(order.pk, [fill_report(order, size="250", price="0.06")], now=utc_now())

    first.refresh_from_db()
    assert (first.closed_size, first.proceeds_usd) == (Decimal(100), Decimal(6))
    assert Position.objects.get().size == 750


def test_units_too_few_to_sell_are_released_to_the_house(on: Instrument) -> None:
    first, second = two_ended(on)
    order = sold(on, {first: "600", second: "400"}, size="1000")

    fills_ingest(
        order.pk,
        [fill_report(order, size="999.995", price="0.06", notional_usd=Decimal("59.9997"))],
        now=utc_now(),
    )

    first.refresh_from_db()
    second.refresh_from_db()
    assert [row.status for row in (first, second)] == ["closed", "closed"]
    assert [row.released_size for row in (first, second)] == [Decimal("0.003"), Decimal("0.002")]
    assert Position.objects.get().size == Decimal("0.005")
    assert verify_book() == []


def test_a_policy_in_force_releases_nothing(on: Instrument) -> None:
    product = factories.product()
    factories.policy(product)
    purchase = bought(on, demand={product.pk: "1000"})
    fills_ingest(purchase.pk, [fill_report(purchase, size="1000")], now=utc_now())
    held = HedgePosition.objects.get()
    order = sold(on, {held: "1000"}, size="1000")

    fills_ingest(
        order.pk, [fill_report(order, size="999.995", notional_usd=Decimal("39.9998"))], now=utc_now()
    )

    held.refresh_from_db()
    assert (held.status, held.size - held.closed_size, held.released_size) == ("open", Decimal("0.005"), 0)


def test_only_ended_policies_release_what_cannot_be_sold(on: Instrument) -> None:
    product = factories.product()
    stays, ends = factories.policy(product, "60000"), factories.policy(product, "40000")
    order = bought(on, demand={product.pk: "1"})
    fills_ingest(order.pk, [fill_report(order, size="1")], now=utc_now())
    cancel(ends)

    assert slices_release_unsellable(on.pk, now=utc_now()) == 1
    assert slices_release_unsellable(on.pk, now=utc_now()) == 0

    released = HedgePosition.objects.get(policy=ends)
    assert (released.status, released.released_size, released.realised_pnl_usd) == (
        "closed",
        Decimal("0.4"),
        Decimal("-0.016"),
    )
    assert HedgePosition.objects.get(policy=stays).status == "open"
    assert to_micro(Position.objects.get().size) == 1_000_000
    assert verify_book() == []
