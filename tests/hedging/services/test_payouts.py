"""A redemption closes every slice of its instrument, to the micro-unit, whoever it belongs to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from hedging.models import Fill, HedgePosition, HeldShare, Position
from hedging.services.fills import fills_ingest
from hedging.services.verification import verify_book
from tests import factories as make
from tests.reports import fill_report
from venues.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)
PAYOUTS = ("1", "0", "0.5", "0.3333333333")


def held(*sizes: str) -> Instrument:
    """One policy's slice for each size, each bought for eight cents a unit."""
    instrument = make.instrument()
    for size in sizes:
        policy = make.policy(make.product())
        cost = (Decimal(size) * Decimal("0.08368")).quantize(Decimal("1e-6"), rounding="ROUND_DOWN")
        # A division is proved against its slices when it commits.
        with transaction.atomic():
            intent = make.intent(instrument, demand={policy.product_id: "1000"})
            order = make.order(intent, state="FILLED", fills=[{}])
            intent.state, intent.finished_at, intent.outcome = "DONE", intent.created_at, "complete"
            intent.save()
            make.hedge_position(order.fills.get(), policy, size=size, hedge_amount_usd=str(cost))
    return instrument


def redeem(on: Instrument, *, size: str, payout: str) -> Fill:
    price = Decimal(payout)
    intent = make.intent(
        on, purpose="redeem", side="SELL", time_in_force="TX", size=Decimal(size),
        notional_usd=(Decimal(size) * price).quantize(Decimal("1e-6"), rounding="ROUND_DOWN"), price_limit=price,
    )  # fmt: skip
    order = make.order(
        intent,
        state="ACKED",
        time_in_force="TX",
        spends_budget=False,
        is_reducing=True,
        fee_usd_max=Decimal(0),
    )
    notional = (Decimal(size) * price).quantize(Decimal("1e-6"), rounding="ROUND_DOWN")
    fills_ingest(
        order.pk, [fill_report(order, size=size, price=payout, notional_usd=notional)], now=intent.created_at
    )
    return Fill.objects.get(order=order)


@pytest.mark.parametrize("payout", PAYOUTS)
def test_every_slice_is_paid_and_the_parts_add_up(payout: str) -> None:
    sizes = ("1000", "333.333333", "0.000001", "7.654321")
    instrument = held(*sizes)

    fill = redeem(instrument, size="4000", payout=payout)

    rows = list(HedgePosition.objects.order_by("pk"))
    assert {row.status for row in rows} == {"closed"}
    total = sum(map(Decimal, sizes)) * Decimal(payout)
    assert sum(row.proceeds_usd for row in rows) == total.quantize(Decimal("1e-6"), rounding="ROUND_DOWN")
    for row in rows:
        exact = row.size * Decimal(payout)
        assert (
            0
            <= row.proceeds_usd - exact.quantize(Decimal("1e-6"), rounding="ROUND_DOWN")
            <= Decimal("0.000001")
        )
        assert row.realised_pnl_usd == row.proceeds_usd - row.hedge_amount_usd
    assert Position.objects.get().size == 0
    assert set(HeldShare.objects.values_list("open_size", "open_cost_usd", "open_count")) == {(0, 0, 0)}
    assert fill.realised_pnl_usd is not None
    assert verify_book() == []


def test_when_the_chain_held_less_each_slice_gives_its_part() -> None:
    instrument = held("600", "400")

    redeem(instrument, size="500", payout="1")

    rows = list(HedgePosition.objects.order_by("pk"))
    assert [(row.closed_size, row.status, row.proceeds_usd) for row in rows] == [
        (300, "open", 300),
        (200, "open", 200),
    ]
    assert sum(HeldShare.objects.values_list("open_size", flat=True)) == 500
    assert verify_book() == []


def test_a_position_without_slices_is_redeemed_for_the_house() -> None:
    instrument = make.instrument()
    make.order(make.intent(instrument), state="FILLED", fills=[{}])

    fill = redeem(instrument, size="1000", payout="1")

    assert (Position.objects.get().size, fill.notional_usd) == (0, 1000)
