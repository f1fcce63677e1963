"""One cycle at a time, each with its reasons, and never the same purchase or sale twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection
from django.test import override_settings

from hedging.models import (
    Cycle,
    CycleLeg,
    CycleTarget,
    EndedPolicy,
    Fill,
    HedgePosition,
    Intent,
    Order,
    Position,
)
from hedging.services.config import config_read
from hedging.services.cycles import CycleResult, cycle_run, cycle_run_if_due
from hedging.services.executor import intent_place
from hedging.services.mappings import mapping_suspend
from hedging.services.orchestrator import calculate_all_allocations, execute_hedge_allocation
from hedging.services.verification import verify_book
from policies.services.policies import policy_cancel
from tests.desk import Desk
from tests.trading import (
    ASKS,
    BIDS,
    SLUG,
    check,
    configure,
    cycle,
    hedge,
    map_market,
    orders_there,
    place,
    sell,
    settle,
    shares_there,
    strike,
    wait_for,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Conflict
from venues.models import Instrument
from venues.registry import gateways_forget
from venues.services.instruments import instruments_refresh

pytestmark = pytest.mark.django_db(transaction=True)


def beside(act: Callable[[], object]) -> threading.Thread:
    """Do something in a thread with its own connection."""

    def work() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def slow_book(desk: Desk, *, seconds: float = 0.6) -> None:
    """Keep the next cycle waiting for its book."""
    strike(desk, "slow", path="/clob/books", method="POST", seconds=seconds)


def leg_on_polymarket(result: CycleResult) -> CycleLeg:
    """The one leg of a cycle on the venue that trades."""
    return CycleLeg.objects.get(cycle_id=result.cycle_id, venue_id="polymarket")


# ------------------------------------------------------------------------------------------------- what it decides
def test_demand_of_two_products_on_one_market_is_one_order_divided_exactly(
    desk: Desk, market: Instrument
) -> None:
    map_market(desk, chain="arbitrum")
    policies = [sell("P-1", 1_000), sell("P-2", 333), sell("P-3", 250, chain="arbitrum")]
    result = hedge(desk, asks=[["0.040", "1000"], ["0.050", "1000"]])

    assert (len(result.intents), Order.objects.count()) == (1, 1)
    order = Order.objects.get()
    assert order.filled_size == 1583 == shares_there(desk, market)
    parts = {
        policy: sum(row.size for row in HedgePosition.objects.filter(policy_id=policy)) for policy in policies
    }
    assert parts == {policies[0]: 1000, policies[1]: 333, policies[2]: 250}
    cost = sum(row.hedge_amount_usd for row in HedgePosition.objects.all())
    assert cost == order.filled_usd + order.fee_usd == Position.objects.get().cost_usd
    assert CycleTarget.objects.get().size == 1583
    assert verify_book() == []
    assert cycle().intents == []


def test_a_venue_without_a_gateway_keeps_its_share_unhedged(desk: Desk, market: Instrument) -> None:
    configure(venueShares={"polymarket": "0.4", "binance_futures": "0.4", "allianz": "0.2"})
    sell("P-1", 1_000)

    result = cycle()

    legs = {row.venue_id: (row.required_usd, row.outcome, row.reason) for row in CycleLeg.objects.all()}
    assert legs == {
        "polymarket": (Decimal(80), legs["polymarket"][1], "FULLY_COVERED"),
        "binance_futures": (Decimal(80), "unhedged", "NO_GATEWAY"),
        "allianz": (Decimal(40), "unhedged", "NO_GATEWAY"),
    }
    assert len(result.intents) == 1


# ------------------------------------------------------------------------------------------------- why it does not
def test_a_product_without_a_market_stays_unhedged_and_says_so(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000, stablecoin="DAI")

    result = cycle()

    leg = leg_on_polymarket(result)
    assert (leg.outcome, leg.reason, leg.unfilled_usd, result.intents) == ("unhedged", "UNMAPPED", 200, [])


def test_a_closed_market_takes_nothing_and_says_so(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("market", slug=SLUG, accepting_orders=False)
    instruments_refresh("polymarket", now=utc_now())
    sell("P-1", 1_000)

    result = cycle()

    assert (leg_on_polymarket(result).reason, result.intents) == ("MARKET_CLOSED", [])


def test_a_suspended_mapping_takes_nothing_and_says_so(desk: Desk, market: Instrument) -> None:
    mapping = market.mappings.get()
    mapping_suspend(mapping.pk, reason="the wording is doubtful", actor="risk.officer", now=utc_now())
    sell("P-1", 1_000)

    result = cycle()

    leg = leg_on_polymarket(result)
    assert (leg.reason, result.intents) == ("MAPPING_INACTIVE", [])
    assert leg.sentence == "Suspended: the wording is doubtful. $200.00 stays unhedged."


def test_a_venue_that_cannot_be_reached_leaves_its_share_unhedged(
    desk: Desk, market: Instrument, free_port: int
) -> None:
    sell("P-1", 1_000)
    nowhere = desk.polymarket() | {"clob_url": f"http://127.0.0.1:{free_port}/clob"}

    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        result = cycle()
    gateways_forget()

    assert (leg_on_polymarket(result).reason, result.intents) == ("NO_BOOK", [])
    market.venue.refresh_from_db()
    assert market.venue.last_error.startswith("books: ")


def test_a_book_that_came_too_slowly_is_not_traded_on(desk: Desk, market: Instrument) -> None:
    configure(bookMaxAgeSeconds=1)
    sell("P-1", 1_000)
    slow_book(desk, seconds=1.2)

    result = cycle()

    assert (leg_on_polymarket(result).reason, result.intents) == ("STALE_BOOK", [])
    assert len(cycle().intents) == 1


def test_a_cycle_forgets_policies_that_ended_long_ago_and_hold_nothing(
    desk: Desk, market: Instrument
) -> None:
    policy_id = sell("P-1", 1_000)
    policy_cancel(policy_id, reason="the customer asked", actor="tester", now=utc_now())
    EndedPolicy.objects.update(ended_at=utc_now() - timedelta(days=2))
    assert EndedPolicy.objects.count() == 1

    cycle()

    assert EndedPolicy.objects.count() == 0


def test_a_price_above_the_cap_buys_nothing_and_says_so(desk: Desk, market: Instrument) -> None:
    configure(priceMax="0.03")
    sell("P-1", 1_000)

    result = cycle()

    assert (leg_on_polymarket(result).reason, result.intents) == ("PRICE_CAP", [])


# ------------------------------------------------------------------------------------------------- modes
def test_a_dry_run_records_its_plan_and_opens_nothing(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)

    result = cycle_run(cause="dry run", dry_run=True)

    assert result is not None and result.intents == []
    row = Cycle.objects.get(pk=result.cycle_id)
    assert (row.mode, row.state, row.intents_count) == ("dry_run", "done", 0)
    assert CycleTarget.objects.get().price_average == Decimal("0.04")
    assert (Intent.objects.count(), orders_there(desk)) == (0, {})


@pytest.mark.parametrize(
    "environment",
    [{"TRADING_ENVIRONMENT": "PAPER"}, {"TRADING_ENVIRONMENT": "LIVE", "LIVE_TRADING_ALLOWED": False}],
)
def test_where_nothing_may_be_sent_a_cycle_records_only(
    desk: Desk, market: Instrument, environment: dict[str, object]
) -> None:
    sell("P-1", 1_000)

    with override_settings(**environment):
        result = cycle()

    row = Cycle.objects.get(pk=result.cycle_id)
    assert (row.mode, row.environment) == ("record", environment["TRADING_ENVIRONMENT"])
    assert row.planned_usd > 0
    assert (Intent.objects.count(), CycleTarget.objects.count()) == (0, 1)


# ------------------------------------------------------------------------------------------------- one at a time
def test_a_cycle_that_meets_a_running_one_steps_back(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    slow_book(desk)
    first = beside(lambda: cycle_run(cause="first"))
    wait_for(Cycle.objects.filter(state="running").exists)

    assert cycle_run(cause="second") is None

    first.join()
    assert list(Cycle.objects.values_list("cause", "state")) == [("first", "done")]


def test_a_bell_during_a_cycle_that_cannot_have_seen_it_runs_another(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    slow_book(desk)
    first = beside(lambda: cycle_run(cause="first"))
    wait_for(Cycle.objects.filter(state="running").exists)
    sell("P-2", 500)

    second = cycle_run_if_due(cause="sale", now=utc_now())

    first.join()
    assert second is not None
    coverage = dict(Cycle.objects.values_list("cause", "coverage_usd"))
    assert coverage == {"first": 1000, "sale": 1500}


def test_a_bell_before_a_cycle_that_has_seen_it_is_satisfied(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    heard_at = utc_now()
    cycle()

    assert cycle_run_if_due(cause="sale", now=heard_at) is None

    assert Cycle.objects.count() == 1


def test_a_dry_run_satisfies_no_bell(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    heard_at = utc_now()
    cycle_run(cause="look", dry_run=True)

    result = cycle_run_if_due(cause="sale", now=heard_at)

    assert result is not None and len(result.intents) == 1


@pytest.mark.parametrize(("age_s", "steps_back"), [(80, True), (91, False)])
def test_a_cycle_whose_process_died_is_closed_after_ninety_seconds(
    desk: Desk, market: Instrument, age_s: int, *, steps_back: bool
) -> None:
    dead = Cycle.objects.create(
        cause="beat", mode="send", environment="PRACTICE", as_of=utc_now() - timedelta(seconds=age_s)
    )

    assert (cycle_run(cause="test") is None) is steps_back

    dead.refresh_from_db()
    assert (dead.state, dead.error) == (
        ("running", "") if steps_back else ("failed", "its process died before it finished")
    )


def test_a_cycle_that_was_given_up_writes_nothing_when_it_wakes(desk: Desk, market: Instrument) -> None:
    """Its reading is from before the purchase that another cycle made: it would buy the same again."""
    sell("P-1", 1_000)
    config = config_read()
    sleeper = Cycle.objects.create(
        cause="beat", mode="send", environment="PRACTICE", as_of=utc_now() - timedelta(seconds=91)
    )
    stale = calculate_all_allocations(now=utc_now(), config=config)
    hedge(desk)
    bought = shares_there(desk, market)
    assert bought == 1000

    with pytest.raises(Conflict, match="took too long and was given up"):
        execute_hedge_allocation(sleeper, stale, config=config, actor="test", now=utc_now())

    assert Intent.objects.count() == 1
    assert (CycleLeg.objects.filter(cycle=sleeper).count(), CycleTarget.objects.count()) == (0, 1)


def test_a_cycle_that_fails_leaves_its_reason_and_no_half_of_a_plan(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hedging_cycletarget ADD CONSTRAINT not_today CHECK (false) NOT VALID")
    try:
        with pytest.raises(DatabaseError):
            cycle_run(cause="test")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hedging_cycletarget DROP CONSTRAINT not_today")

    row = Cycle.objects.get()
    assert (row.state, row.finished_at is not None) == ("failed", True)
    assert row.error.startswith("IntegrityError: new row for relation")
    assert (CycleLeg.objects.count(), Intent.objects.count()) == (0, 0)
    assert len(cycle().intents) == 1


# ------------------------------------------------------------------------------------------------- never twice
def test_what_is_matched_and_not_settled_is_not_bought_again(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    desk.exchange.post("settlement", mined_seconds=60, confirmed_seconds=60)
    order = place(Intent.objects.get(pk=cycle().intents[0][1]))
    check(order)
    assert Fill.objects.get().settlement == "matched"
    assert Order.objects.get().state == "FILLED"

    again = cycle()

    assert again.intents == []
    assert leg_on_polymarket(again).held_size == 1000


def test_what_is_sold_and_not_settled_is_not_sold_again(desk: Desk, market: Instrument) -> None:
    ends, stays = sell("P-1", 1_000), sell("P-2", 1_000)
    hedge(desk, asks=[["0.040", "2000"]])
    policy_cancel(ends, reason="the customer asked", actor="tester", now=utc_now())
    desk.exchange.post("settlement", mined_seconds=60, confirmed_seconds=60)
    sale = place(Intent.objects.get(pk=cycle().intents[0][1]))
    check(sale)
    assert intent_place(sale.intent_id, now=utc_now()).word == "finished"
    assert (Order.objects.get(pk=sale.pk).state, Fill.objects.filter(side="SELL").get().settlement) == (
        "FILLED",
        "matched",
    )

    again = cycle()

    assert again.intents == []
    desk.exchange.post("settlement/run")
    settle()
    assert cycle().intents == []
    assert shares_there(desk, market) == 1000 == Position.objects.get().size
    assert HedgePosition.objects.get(policy_id=ends).status == "closed"
    assert HedgePosition.objects.get(policy_id=stays).closed_size == 0
    assert verify_book() == []


def test_a_market_too_thin_for_a_sale_keeps_the_units_for_their_policy(
    desk: Desk, market: Instrument
) -> None:
    ends = sell("P-1", 1_000)
    hedge(desk)
    policy_cancel(ends, reason="the customer asked", actor="tester", now=utc_now())

    desk.book(SLUG, bids=[["0.020", "3"]], asks=ASKS)
    thin = cycle()
    held = HedgePosition.objects.get()
    assert (thin.intents, held.status, held.released_size) == ([], "open", 0)
    (kept,) = Cycle.objects.get(pk=thin.cycle_id).held_back
    assert kept["size"] == "1000.00"

    hedge(desk, bids=BIDS)
    held.refresh_from_db()
    assert (held.status, held.closed_size, held.released_size) == ("closed", 1000, 0)
    assert shares_there(desk, market) == 0


def test_a_deep_loss_of_cover_sells_in_parts_as_the_market_takes_them(desk: Desk, market: Instrument) -> None:
    ends = sell("P-1", 1_000)
    hedge(desk)
    policy_cancel(ends, reason="the customer asked", actor="tester", now=utc_now())

    hedge(desk, bids=[["0.020", "400"]])
    held = HedgePosition.objects.get()
    assert (held.status, held.closed_size, held.released_size) == ("open", 400, 0)
    hedge(desk, bids=[["0.030", "600"]])

    held.refresh_from_db()
    assert (held.status, held.closed_size, held.released_size) == ("closed", 1000, 0)
    sold = sum(row.notional_usd - row.fee_usd for row in Fill.objects.filter(side="SELL"))
    assert held.proceeds_usd == sold
    assert verify_book() == []
