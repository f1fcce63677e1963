"""The founding document's worked example, traded for real on the practice exchange, step by step in one process."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from hedging.models import Cycle, CycleLeg, HedgePosition, Intent, Mapping, Order, Position
from hedging.services.config import config_set
from hedging.services.cycles import cycle_run
from hedging.services.executor import intent_place
from hedging.services.mappings import mapping_approve, mapping_propose, mapping_suspend
from hedging.services.policy_hedges import close_policy_hedges, execute_depeg_hedge
from hedging.services.reconciliation import reconcile_venue
from hedging.services.verification import verify_book
from policies.models import Product
from policies.services.policies import policy_cancel, policy_record_sale
from tests.desk import Desk
from tests.trading import settle
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import floor_micro
from venues.models import Instrument
from venues.services.instruments import instruments_refresh

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

SLUG = "usdc-depeg-by-december-31-2027"


@pytest.fixture
def usdc_on_ethereum(desk: Desk) -> Product:
    """USDC depeg cover on Ethereum, mapped to its market with everything at the hedge's disposal on Polymarket."""
    now = utc_now()
    yes = desk.market(SLUG)["token_ids"][0]
    instrument = instruments_refresh("polymarket", now=now, instrument_ids=[yes])[0]
    product = Product.objects.get(coverage_type="depeg", chain="ethereum", stablecoin="USDC")
    mapping, _ = mapping_propose(
        product=product,
        instrument=instrument,
        grade=Mapping.Grade.DIRECT,
        basis_probability=Decimal(1),
        pays_on="USDC trading below $0.98 for 24 hours",
    )
    mapping_approve(mapping.pk, actor="tester", now=now)
    settings = {
        "enabled": True,
        "venueShares": {"polymarket": "1", "binance_futures": "0", "allianz": "0"},
        "maxSlippageBps": 10000,
        "maxNotionalPerOrder": 50000,
    }
    for key, value in settings.items():
        config_set(key, value, actor="tester", reason="the document's example", now=now)
    return product


def sell(external_id: str, coverage_usd: int) -> int:
    """Sell USDC depeg cover on Ethereum for 30 days; return the policy's id."""
    policy, _ = policy_record_sale(
        external_id=external_id,
        holder="alice",
        coverage_type="depeg",
        chain="ethereum",
        stablecoin="USDC",
        coverage_usd=Decimal(coverage_usd),
        duration_days=30,
        source="test",
        actor="tester",
        now=utc_now(),
    )
    return policy.pk


def test_a_hundred_thousand_of_cover_buys_forty_thousand_shares_for_twenty_thousand_dollars(
    desk: Desk, usdc_on_ethereum: Product
) -> None:
    desk.exchange.post("market", slug=SLUG, fee_rate="0")
    instruments_refresh("polymarket", now=utc_now())
    desk.book(SLUG, bids=[["0.480", "1000"]], asks=[["0.500", "100000"]])
    policy = sell("P-1", 100_000)
    sell("P-2", 70_000)

    told = StringIO()
    call_command("execute_depeg_hedge", "P-1", "--hedge-ratio", "0.20", stdout=told)

    assert "Hedge executed: 40000.00 shares at $0.5000 = $20000.00" in told.getvalue()
    assert "pays $40,000.00, net vault cost $60,000.00, economic loss $80,000.00" in told.getvalue()
    slice_ = HedgePosition.objects.get()
    assert (slice_.policy_id, slice_.size, slice_.hedge_amount_usd) == (
        policy,
        Decimal(40_000),
        Decimal(20_000),
    )
    assert slice_.entry_price == Decimal("0.5")
    position = Position.objects.get()
    assert (position.size, position.cost_usd) == (Decimal(40_000), Decimal(20_000))
    holdings = desk.truth()["accounts"][desk.address]
    assert Decimal(holdings["positions"][Instrument.objects.get().instrument_id]["shares"]) == Decimal(40_000)
    assert verify_book() == []
    assert reconcile_venue("polymarket", now=utc_now()).differences == 0

    again = execute_depeg_hedge(policy, actor="tester", now=utc_now())
    assert again is not None and again.shares_bought == 0
    assert Order.objects.count() == 1


def test_without_a_market_nothing_is_hedged_and_it_is_said(desk: Desk, usdc_on_ethereum: Product) -> None:
    mapping_suspend(Mapping.objects.get().pk, reason="the source is gone", actor="tester", now=utc_now())
    sell("P-1", 100_000)
    told = StringIO()

    call_command("execute_depeg_hedge", "P-1", stdout=told)

    assert told.getvalue() == "No suitable market found\n"
    assert Intent.objects.count() == 0


def test_a_thin_book_leaves_the_rest_unhedged_with_its_reason(desk: Desk, usdc_on_ethereum: Product) -> None:
    desk.book(SLUG, bids=[["0.015", "500"]], asks=[["0.021", "500"], ["0.024", "600"]])
    sell("P-1", 100_000)

    cycle = cycle_run(cause="test")
    assert cycle is not None
    intent_place(cycle.intents[0][1], now=utc_now())
    settle()

    leg = CycleLeg.objects.get(cycle_id=cycle.cycle_id, venue_id="polymarket")
    assert leg.planned_size == Decimal(1100)
    assert leg.reason == "DEPTH"
    # Cover allows 100,000 shares; what the missing 98,900 would cost at the average paid is left unhedged.
    assert leg.unfilled_usd == floor_micro(leg.planned_usd / 1100 * 98_900)
    assert sum(row.size for row in HedgePosition.objects.all()) == Decimal(1100)


def test_ended_policies_have_their_slices_sold_and_the_profit_is_booked(
    desk: Desk, usdc_on_ethereum: Product
) -> None:
    desk.book(SLUG, bids=[["0.015", "50000"]], asks=[["0.021", "50000"]])
    first, second = sell("P-1", 100_000), sell("P-2", 50_000)
    cycle = cycle_run(cause="test")
    assert cycle is not None
    intent_place(cycle.intents[0][1], now=utc_now())
    settle()
    held = {row.policy_id: row.size for row in HedgePosition.objects.all()}
    assert sum(held.values()) == Position.objects.get().size

    policy_cancel(first, reason="the customer asked", actor="tester", now=utc_now())
    desk.book(SLUG, bids=[["0.030", "100000"]], asks=[["0.040", "10"]])
    closing = close_policy_hedges(first, actor="tester", now=utc_now())
    assert closing is not None
    sells = [pk for _, pk in closing.intents if Intent.objects.get(pk=pk).side == "SELL"]
    intent_place(sells[0], now=utc_now())
    settle()

    closed = HedgePosition.objects.get(policy_id=first)
    assert (closed.status, closed.closed_size) == ("closed", held[first])
    assert closed.released_size < Decimal("0.01")
    assert closed.realised_pnl_usd == closed.proceeds_usd - closed.hedge_amount_usd
    assert HedgePosition.objects.get(policy_id=second).status == "open"
    assert close_policy_hedges(first, actor="tester", now=utc_now()) is None
    with pytest.raises(Refused, match="it is in force"):
        close_policy_hedges(second, actor="tester", now=utc_now())
    assert verify_book() == []
    assert reconcile_venue("polymarket", now=utc_now()).differences == 0


def test_with_trading_off_a_cycle_records_what_it_would_have_done_and_sends_nothing(
    desk: Desk, usdc_on_ethereum: Product
) -> None:
    desk.book(SLUG, bids=[["0.015", "500"]], asks=[["0.021", "5000"]])
    config_set("enabled", False, actor="tester", reason="stop", now=utc_now())
    sell("P-1", 100_000)

    cycle = cycle_run(cause="test")

    assert cycle is not None and cycle.intents == []
    row = Cycle.objects.get(pk=cycle.cycle_id)
    assert row.mode == "record"
    # The whole level: 5,000 shares at 2.1 cents, and 7 % of p(1-p) in fees.
    assert (row.planned_payout_usd, row.planned_usd) == (Decimal(5000), Decimal("112.195650"))
    assert row.targets.get().price_average == Decimal("0.021")
    assert Order.objects.count() == 0 and desk.truth()["orders"] == {}


def test_instruments_know_the_wording_that_was_approved(desk: Desk, usdc_on_ethereum: Product) -> None:
    desk.exchange.post("market", slug=SLUG, description="Other rules now.")
    instruments_refresh("polymarket", now=utc_now())
    sell("P-1", 100_000)

    cycle = cycle_run(cause="test")

    assert cycle is not None and cycle.intents == []
    leg = CycleLeg.objects.get(cycle_id=cycle.cycle_id, venue_id="polymarket")
    assert leg.reason == "MAPPING_NOT_APPROVED"
    assert "wording" in leg.sentence
    assert Instrument.objects.get().description == "Other rules now."


def test_the_last_policy_of_a_product_has_its_hedge_sold_too(desk: Desk, usdc_on_ethereum: Product) -> None:
    desk.book(SLUG, bids=[["0.015", "50000"]], asks=[["0.021", "50000"]])
    only = sell("P-1", 10_000)
    bought = cycle_run(cause="test")
    assert bought is not None
    intent_place(bought.intents[0][1], now=utc_now())
    settle()

    policy_cancel(only, reason="the customer asked", actor="tester", now=utc_now())
    closing = cycle_run(cause="cancelled")
    assert closing is not None and len(closing.intents) == 1
    intent_place(closing.intents[0][1], now=utc_now())
    settle()

    assert HedgePosition.objects.get().status == "closed"
    assert Position.objects.get().size < Decimal("0.01")
    assert verify_book() == []
