"""Purchases are divided among the policies they were made for, a sale among the slices it closes: to the micro-unit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from hedging.models import (
    Attribution,
    EndedPolicy,
    HedgePosition,
    HeldShare,
    Intent,
    IntentSlice,
    Order,
    Position,
)
from hedging.selectors.holdings import holdings_read
from hedging.services.attributions import attributions_make, ended_policies_forget
from hedging.services.claims import claims_note_closed
from hedging.services.fills import fills_ingest
from hedging.services.slices import slices_release_unsellable
from hedging.services.verification import verify_book
from policies.models import Policy
from policies.services.claims import claim_approve, claim_file, claim_pay
from policies.services.policies import policy_cancel
from tests import factories
from tests.reports import fill_report
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.money import to_micro
from venues.domain.gateway import Settlement
from venues.models import Instrument


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


def divide(on: Instrument) -> int:
    """Divide what waits, as after the decision's end."""
    return attributions_make("polymarket", now=utc_now(), every_s=0, instrument_rows=[on.pk])


def finish(order: Order) -> None:
    """The venue cancels the rest, and with it the decision ends."""
    Order.objects.filter(pk=order.pk).update(state="CANCELLED")
    Intent.objects.filter(pk=order.intent_id).update(state="DONE", finished_at=utc_now())


def slices_of(policy: Policy) -> list[tuple[Decimal, Decimal]]:
    """(units, cost) of a policy's slices, in the order they were bought."""
    rows = HedgePosition.objects.filter(policy=policy).order_by("pk")
    return list(rows.values_list("size", "hedge_amount_usd"))


def cancel(policy: Policy) -> None:
    """End a policy."""
    policy_cancel(policy.pk, reason="the customer asked", actor="tester", now=utc_now())


def test_each_division_takes_only_what_was_bought_since_the_last(on: Instrument) -> None:
    ethereum, arbitrum = factories.product(), factories.product(chain="arbitrum")
    large, small = factories.policy(ethereum, "60000"), factories.policy(ethereum, "20000")
    third = factories.policy(arbitrum, "10000")
    order = bought(on, demand={ethereum.pk: "300", arbitrum.pk: "100"})

    fills_ingest(order.pk, [fill_report(order, size="100", fee_usd="0.4")], now=utc_now())
    assert divide(on) == 3
    assert slices_of(large) == [(Decimal("56.25"), Decimal("2.475"))]
    assert slices_of(small) == [(Decimal("18.75"), Decimal("0.825"))]
    assert slices_of(third) == [(Decimal(25), Decimal("1.1"))]

    # One has ended before the next part trades: what it has stays, the rest is the others'.
    cancel(small)
    tiny = fill_report(
        order,
        size="0.000003",
        price="0.04",
        notional_usd=Decimal(0),
        matched_at=utc_now() + timedelta(seconds=1),
    )
    fills_ingest(order.pk, [tiny], now=utc_now())
    assert divide(on) == 2
    assert slices_of(large)[1:] == [(Decimal("0.000002"), Decimal(0))]
    assert slices_of(third)[1:] == [(Decimal("0.000001"), Decimal(0))]
    assert slices_of(small) == [(Decimal("18.75"), Decimal("0.825"))]
    assert verify_book() == []


def test_a_purchase_for_one_policy_is_that_policys_alone(on: Instrument) -> None:
    product = factories.product()
    mine, other = factories.policy(product), factories.policy(product)
    order = bought(on, demand={product.pk: "100"}, policy_id=mine.pk)

    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())
    divide(on)

    assert slices_of(mine) == [(Decimal(100), Decimal(4))]
    assert slices_of(other) == []


def test_a_purchase_whose_policies_have_all_ended_before_it_stays_on_the_position_alone(
    on: Instrument,
) -> None:
    product = factories.product()
    policy = factories.policy(product)
    order = bought(on, demand={product.pk: "100"})
    cancel(policy)

    late = fill_report(order, size="100", matched_at=utc_now() + timedelta(seconds=1))
    fills_ingest(order.pk, [late], now=utc_now())
    assert divide(on) == 0

    given = Attribution.objects.get()
    assert (given.size, given.ownerless_size, given.cost_usd) == (0, 100, 0)
    assert divide(on) == 0 and Attribution.objects.count() == 1
    assert HedgePosition.objects.count() == 0
    assert Position.objects.get().size == 100
    assert verify_book() == []


def two_ended(on: Instrument) -> tuple[HedgePosition, HedgePosition]:
    """The slices of two ended policies, 600 and 400 units at 4 cents, with $2 of fees."""
    product = factories.product()
    policies = [factories.policy(product, "60000"), factories.policy(product, "40000")]
    order = bought(on, demand={product.pk: "1000"})
    fills_ingest(order.pk, [fill_report(order, size="1000", fee_usd="2")], now=utc_now())
    divide(on)
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
    divide(on)
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
    divide(on)
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


def test_the_planner_is_told_of_many_new_slices_at_once(
    on: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tonsurance.plumbing.statistics.ROWS_MANY", 3)
    product = factories.product()

    def rows_known() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'hedging_hedgeposition'")
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hedging_hedgeposition")
    assert rows_known() == 0
    for policies, known in ((2, 0), (3, 5 + 2)):
        for _ in range(policies):
            factories.policy(product)
        order = bought(on, demand={product.pk: "100"})
        fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())
        divide(on)
        finish(order)
        assert rows_known() == known


# ------------------------------------------------------------------------------------------------- what waits
def test_trades_of_one_decision_become_one_slice_per_policy(on: Instrument) -> None:
    product = factories.product()
    policies = [factories.policy(product, "60000"), factories.policy(product, "40000")]
    order = bought(on, demand={product.pk: "1000"})
    trades = [fill_report(order, size="100", fee_usd="0.4"), fill_report(order, size="200", price="0.05")]
    fills_ingest(order.pk, trades, now=utc_now())

    assert divide(on) == 2

    given = Attribution.objects.get()
    assert (given.fills_count, given.size, given.cost_usd) == (2, Decimal(300), Decimal("14.4"))
    assert given.entry_price == Decimal("0.0466666666")
    assert slices_of(policies[0]) == [(Decimal(180), Decimal("8.64"))]
    assert slices_of(policies[1]) == [(Decimal(120), Decimal("5.76"))]
    assert verify_book() == []


def test_what_waits_is_held_for_its_products_and_counted_once(on: Instrument) -> None:
    ethereum, arbitrum = factories.product(), factories.product(chain="arbitrum")
    factories.policy(ethereum, "60000")
    factories.policy(arbitrum, "10000")
    order = bought(on, demand={ethereum.pk: "300", arbitrum.pk: "100"})
    fills_ingest(order.pk, [fill_report(order, size="100", fee_usd="0.4")], now=utc_now())
    finish(order)

    before = holdings_read({on.pk: "it"})["it"]
    assert divide(on) == 2
    after = holdings_read({on.pk: "it"})["it"]

    assert (before.confirmed_size, before.pending_size, before.cost_usd) == (100, 0, Decimal("4.4"))
    assert [(part.product_id, part.size, part.cost_usd) for part in before.slices] == [
        (ethereum.pk, Decimal(75), Decimal("3.3")),
        (arbitrum.pk, Decimal(25), Decimal("1.1")),
    ]
    assert after == before


def test_a_policy_that_ends_while_its_purchase_waits_gets_its_part(on: Instrument) -> None:
    product = factories.product()
    stays, ends = factories.policy(product, "60000"), factories.policy(product, "40000")
    order = bought(on, demand={product.pk: "1000"})
    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())
    finish(order)
    cancel(ends)

    assert divide(on) == 2

    assert slices_of(stays) == [(Decimal(60), Decimal("2.4"))]
    assert slices_of(ends) == [(Decimal(40), Decimal("1.6"))]
    held = holdings_read({on.pk: "it"})["it"]
    assert held.ended_size == 40
    assert [(part.product_id, part.size) for part in held.slices] == [(product.pk, Decimal(60))]


def test_a_policy_that_ended_before_its_market_was_bought_gets_nothing_of_it(on: Instrument) -> None:
    product, other = factories.product(), factories.product(chain="arbitrum")
    stays, ended = factories.policy(product), factories.policy(product)
    factories.policy(other)
    elsewhere = factories.instrument()
    early = bought(elsewhere, demand={other.pk: "100"})
    an_hour_ago = utc_now() - timedelta(hours=1)
    fills_ingest(early.pk, [fill_report(early, size="100", matched_at=an_hour_ago)], now=utc_now())
    cancel(ended)
    late = bought(on, demand={product.pk: "100"})
    fills_ingest(
        late.pk, [fill_report(late, size="100", matched_at=utc_now() + timedelta(seconds=1))], now=utc_now()
    )

    attributions_make("polymarket", now=utc_now(), every_s=0, instrument_rows=[on.pk, elsewhere.pk])

    assert slices_of(stays) == [(Decimal(100), Decimal(4))]
    assert slices_of(ended) == []
    assert verify_book() == []


def test_an_ended_policy_is_forgotten_when_nothing_of_it_is_open_or_to_come(on: Instrument) -> None:
    product = factories.product()
    holds, free = factories.policy(product), factories.policy(product)
    cancel(free)
    late = timedelta(days=2)
    order = bought(on, demand={product.pk: "100"})
    trade = fill_report(
        order, size="100", settlement=Settlement.MINED, matched_at=utc_now() - timedelta(hours=1)
    )
    fills_ingest(order.pk, [trade], now=utc_now())
    cancel(holds)
    assert ended_policies_forget(now=utc_now()) == 0, "they ended a moment ago"
    assert ended_policies_forget(now=utc_now() + late) == 0, "a trade from before is not final"

    fills_ingest(order.pk, [replace(trade, settlement=Settlement.CONFIRMED)], now=utc_now())
    assert ended_policies_forget(now=utc_now() + late) == 0, "a purchase from before waits"
    assert divide(on) == 2

    assert ended_policies_forget(now=utc_now() + late) == 0, "both hold what must be sold"
    first, second = HedgePosition.objects.order_by("pk")
    sale = sold(on, {first: "50"}, size="50")
    fills_ingest(sale.pk, [fill_report(sale, size="50")], now=utc_now())
    assert ended_policies_forget(now=utc_now() + late) == 1
    assert list(EndedPolicy.objects.values_list("policy_id", flat=True)) == [second.policy_id]


def test_a_decision_that_lives_or_trades_that_are_not_final_are_waited_for(on: Instrument) -> None:
    product = factories.product()
    factories.policy(product)
    order = bought(on, demand={product.pk: "1000"})
    first, second = (
        fill_report(order, size="100"),
        fill_report(order, size="900", settlement=Settlement.MINED),
    )
    fills_ingest(order.pk, [first, second], now=utc_now())

    def make(after_s: int = 0) -> int:
        return attributions_make("polymarket", now=utc_now() + timedelta(seconds=after_s), every_s=3600)

    assert make() == 0
    finish(order)
    assert make() == 0, "one trade is not final"
    fills_ingest(order.pk, [replace(second, settlement=Settlement.CONFIRMED)], now=utc_now())
    assert make() == 1
    assert Attribution.objects.get().fills_count == 2


def test_what_has_waited_ten_minutes_is_divided_without_the_rest(on: Instrument) -> None:
    product = factories.product()
    factories.policy(product)
    order = bought(on, demand={product.pk: "1000"})
    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())

    assert attributions_make("polymarket", now=utc_now() + timedelta(minutes=11), every_s=3600) == 1


def test_a_market_of_many_policies_is_divided_at_intervals(
    on: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hedging.services.attributions.POLICIES_MANY", 1)
    product = factories.product()
    for _ in range(2):
        factories.policy(product)
    for expected, after_s in ((2, 0), (0, 1800), (2, 3601)):
        order = bought(on, demand={product.pk: "100"})
        fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())
        finish(order)
        at = utc_now() + timedelta(seconds=after_s)
        assert attributions_make("polymarket", now=at, every_s=3600) == expected


def test_a_slice_that_does_not_add_up_is_refused_at_the_commit(on: Instrument) -> None:
    order = bought(on, demand={factories.product().pk: "100"})
    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())

    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        factories.attribution(order.fills.get(), size="100", cost_usd="4", slices_count=1)
    assert getattr(refused.value.__cause__, "sqlstate", "") == "HB082"
    assert Attribution.objects.count() == 0


def test_two_processes_divide_a_purchase_once(on: Instrument) -> None:
    product = factories.product()
    for _ in range(50):
        factories.policy(product)
    order = bought(on, demand={product.pk: "100"})
    fills_ingest(order.pk, [fill_report(order, size="100")], now=utc_now())

    def run() -> int:
        try:
            return divide(on)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = sorted(pool.map(lambda _: run(), range(4)))

    assert written == [0, 0, 0, 50]
    assert verify_book() == []


def test_the_sums_of_slices_follow_every_change_and_a_wrong_one_is_found(on: Instrument) -> None:
    first, second = two_ended(on)
    share = HeldShare.objects.get()
    assert (share.open_size, share.open_cost_usd, share.open_count) == (1000, Decimal(42), 2)
    assert set(EndedPolicy.objects.values_list("policy_id", flat=True)) == {first.policy_id, second.policy_id}

    order = sold(on, {first: "600"}, size="600")
    fills_ingest(order.pk, [fill_report(order, size="600", price="0.06")], now=utc_now())
    share.refresh_from_db()
    assert (share.open_size, share.open_cost_usd, share.open_count, share.closed_count) == (
        400,
        Decimal("16.8"),
        1,
        1,
    )
    assert verify_book() == []

    HeldShare.objects.update(open_count=5)
    assert [found.invariant for found in verify_book()] == ["the kept sums of slices equal the slices"]


def paid_claim(policy: Policy) -> None:
    """The policy's event has happened, and the customer has the money."""
    now = utc_now()
    # Sales of the factories are dated; the event must lie within the term.
    claim = claim_file(
        policy.pk,
        amount_usd=Decimal(5000),
        event_at=policy.starts_at + timedelta(hours=1),
        observed_price=Decimal("0.90"),
        evidence="below 0.98 for 24 hours",
        actor="claims desk",
        now=now,
    )
    claim_approve(claim.pk, reason="the trigger was met", actor="claims lead", now=now)
    claim_pay(claim.pk, payment_reference="tx 0xabc", actor="treasury", now=now)


@pytest.mark.parametrize("settlement", [Settlement.MATCHED, Settlement.CONFIRMED])
def test_a_claim_is_not_closed_while_a_purchase_of_its_time_is_not_divided(
    on: Instrument, settlement: Settlement
) -> None:
    product = factories.product()
    policy = factories.policy(product, now=utc_now())
    order = bought(on, demand={product.pk: "100"})
    fills_ingest(order.pk, [fill_report(order, size="100", settlement=settlement)], now=utc_now())
    paid_claim(policy)

    assert claims_note_closed(now=utc_now()) == 0

    assert divide(on) == (1 if settlement is Settlement.CONFIRMED else 0)
    assert claims_note_closed(now=utc_now()) == 0, "what it holds is not sold"


def test_a_claim_of_a_policy_that_was_never_hedged_is_closed(on: Instrument) -> None:
    policy = factories.policy(factories.product(), now=utc_now())
    paid_claim(policy)

    assert claims_note_closed(now=utc_now()) == 1
