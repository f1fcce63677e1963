"""Several intents in one request: one commit for each step, and everyone judged alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.models import Breaker, Intent, Order, OrderAttempt, RiskBucket
from hedging.services.executor import Placed, intents_place, intents_place_due, portions_of
from hedging.services.sends import orders_commit_to_send
from tests.desk import Desk
from tests.trading import (
    ASKS,
    BIDS,
    SETTINGS,
    VENUE,
    configure,
    decide,
    map_market,
    mode,
    orders_there,
    probes,
    settle,
    shares_there,
    strike,
)
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Broken
from tonsurance.plumbing.buckets import bucket_empty
from venues.domain.budgets import BudgetKind
from venues.models import Instrument
from venues.services.budgets import budget_take

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_PATH = "/clob/orders"


@pytest.fixture
def markets(desk: Desk) -> list[Instrument]:
    """Five depeg markets, each 1,000 shares at 4 cents and 1,000 at 5; mapped, trading on."""
    configure(**SETTINGS)
    found = []
    for stablecoin in ("USDC", "USDT", "DAI", "FRAX", "PYUSD"):
        slug = f"{stablecoin.lower()}-depeg-by-december-31-2027"
        desk.book(slug, bids=BIDS, asks=ASKS)
        found.append(map_market(desk, slug=slug, stablecoin=stablecoin).instrument)
    return found


def decide_each(markets: Sequence[Instrument]) -> list[Intent]:
    """One decision on each market: 1,000 shares for 40 dollars."""
    return [decide(market, size="1000", usd="40") for market in markets]


def place_all(intents: Sequence[Intent]) -> list[Placed]:
    """Place them in one request; what came of each, in their order."""
    placed = intents_place(VENUE, [intent.pk for intent in intents], now=utc_now())
    return [placed[intent.pk] for intent in intents]


def sent_states() -> list[str]:
    return sorted(Order.objects.values_list("state", flat=True))


def posts(desk: Desk) -> list[str]:
    """The paths that orders were posted to, as the fault plan counted them."""
    return [row["path"] for row in desk.exchange.get("faults")["log"]]


# ------------------------------------------------------------------------------------------------- the straight path
def test_five_intents_are_one_request_and_each_is_bought_once(desk: Desk, markets: list[Instrument]) -> None:
    strike(desk, "slow", path=BATCH_PATH, seconds=0, count=5)
    intents = decide_each(markets)

    words = [placed.word for placed in place_all(intents)]

    assert words == ["acked"] * 5
    assert posts(desk) == [BATCH_PATH]
    assert [row.attempts for row in Order.objects.all()] == [1] * 5
    assert OrderAttempt.objects.filter(outcome="Accepted", finished_at__isnull=False).count() == 5
    settle()
    assert [shares_there(desk, market) for market in markets] == [1000] * 5
    assert {intent.state for intent in Intent.objects.all()} == {"DONE"}
    assert len(orders_there(desk)) == 5


def test_three_intents_cost_no_more_statements_than_one(desk: Desk, markets: list[Instrument]) -> None:
    # The first request of a day opens the venue's buckets and notes its tier.
    place_all(decide_each(markets[:1]))
    budget_take(VENUE, BudgetKind.BATCH)
    one, three = decide_each(markets[1:2]), decide_each(markets[2:])
    with CaptureQueriesContext(connection) as for_one:
        place_all(one)
    with CaptureQueriesContext(connection) as for_three:
        place_all(three)

    assert len(for_three) <= len(for_one)
    assert OrderAttempt.objects.filter(outcome="Accepted").count() == 5


def test_a_portion_is_twenty_requests_and_no_more(desk: Desk, markets: list[Instrument]) -> None:
    ids = [intent.pk for intent in decide_each(markets)]
    many = [(VENUE, key) for key in ids * 61]

    assert [len(portion) for _, portion in portions_of(many)] == [300, 5]
    with pytest.raises(Broken, match="305 intents at once are more than 20 requests"):
        intents_place(VENUE, ids * 61, now=utc_now())


def test_one_bell_takes_everything_that_is_due_along(desk: Desk, markets: list[Instrument]) -> None:
    intents = decide_each(markets)
    later = utc_now() + timedelta(hours=1)
    Intent.objects.filter(pk=intents[4].pk).update(next_attempt_at=later)

    placed = intents_place_due(VENUE, now=utc_now(), first=intents[3].pk)

    assert placed.keys() == {intent.pk for intent in intents[:4]}
    assert intents_place_due(VENUE, now=utc_now()) == {}
    assert len(orders_there(desk)) == 4


# ------------------------------------------------------------------------------------------------- everyone alone
def test_what_is_finished_denied_in_doubt_or_stale_keeps_nobody_else_waiting(
    desk: Desk, markets: list[Instrument]
) -> None:
    strike(desk, "timeout_before", seconds=0.1)
    doubtful = decide_each(markets[:1])[0]
    assert place_all([doubtful])[0].word == "unknown"
    stale = decide(markets[1], size="1000", usd="40", valid_s=0)
    ended = decide_each(markets[2:3])[0]
    Intent.objects.filter(pk=ended.pk).update(state="ABANDONED", finished_at=utc_now())
    good = decide_each(markets[3:])

    words = [placed.word for placed in place_all([doubtful, stale, ended, *good])]

    assert words == ["in_doubt", "expired", "finished", "acked", "acked"]
    assert len(orders_there(desk)) == 2


def test_a_limit_that_two_of_five_would_pass_stops_these_two(desk: Desk, markets: list[Instrument]) -> None:
    # Three times 40 dollars and 2.80 of fees; the fourth would pass the cap, inside the same statement.
    RiskBucket.objects.filter(code=f"venue:{VENUE}").update(cap_usd="128.40")

    words = [placed.word for placed in place_all(decide_each(markets))]

    assert sorted(words) == ["acked", "acked", "acked", "limited", "limited"]
    assert sent_states() == ["ABORTED", "ABORTED", "ACKED", "ACKED", "ACKED"]
    assert len(orders_there(desk)) == 3
    assert OrderAttempt.objects.count() == 3


def test_a_half_open_breaker_lets_its_probes_through_and_holds_the_rest(
    desk: Desk, markets: list[Instrument]
) -> None:
    probes(2)

    words = [placed.word for placed in place_all(decide_each(markets))]

    assert sorted(words) == ["acked", "acked", "gated", "gated", "gated"]
    assert sent_states() == ["ACKED", "ACKED", "PREPARED", "PREPARED", "PREPARED"]
    assert len(orders_there(desk)) == 2
    assert set(Intent.objects.filter(orders__state="PREPARED").values_list("dispatch_count", flat=True)) == {
        0
    }


def test_an_intent_that_a_person_parks_after_its_order_was_prepared_is_not_sent(
    desk: Desk, markets: list[Instrument]
) -> None:
    probes(0)
    intents = decide_each(markets[:2])
    place_all(intents)
    Breaker.objects.update(state="CLOSED", opened_at=None, changed_by="risk.officer")
    Intent.objects.filter(pk=intents[0].pk).update(state="PARKED")

    committed = orders_commit_to_send(
        [row.pk for row in Order.objects.all()], venue_code=VENUE, from_state="PREPARED", now=utc_now()
    )

    assert [item.intent_id for item in committed.sent] == [intents[1].pk]
    assert [str(error).splitlines()[0] for error in committed.refused.values()] == [
        f"intent {intents[0].pk} is PARKED, not OPEN"
    ]


def test_a_market_that_is_closed_abandons_its_own_intent_only(desk: Desk, markets: list[Instrument]) -> None:
    Instrument.objects.filter(pk=markets[0].pk).update(closed=True)

    placed = place_all(decide_each(markets[:3]))

    assert [item.word for item in placed] == ["refused", "acked", "acked"]
    assert placed[0].sentence == "instrument: the market is closed; map another market"


def test_a_refused_leg_ends_its_own_decision_only(desk: Desk, markets: list[Instrument]) -> None:
    desk.exchange.post("market", slug="usdt-depeg-by-december-31-2027", accepting_orders=False)

    placed = place_all(decide_each(markets[:3]))

    assert [placed[0].word, placed[2].word] == ["acked", "acked"]
    assert placed[1].word in ("rejected", "unknown")
    assert len(orders_there(desk)) == 2


def test_an_order_that_cannot_be_born_does_not_take_the_others_down(
    desk: Desk, markets: list[Instrument]
) -> None:
    """Somebody raised the price between our reading and our writing: impossible bytes stay unborn."""
    intents = decide_each(markets[:3])
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE hedging_order ADD CONSTRAINT tested CHECK (instrument_id <> {markets[1].pk})"
        )
    try:
        words = [placed.word for placed in place_all(intents)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hedging_order DROP CONSTRAINT tested")

    assert words == ["acked", "broken", "acked"]
    assert len(orders_there(desk)) == 2


# ------------------------------------------------------------------------------------------------- no answer, no budget
def test_silence_leaves_every_order_in_doubt_and_each_is_bought_once(
    desk: Desk, markets: list[Instrument]
) -> None:
    strike(desk, "timeout_after", path=BATCH_PATH, seconds=0.1)

    words = {placed.word for placed in place_all(decide_each(markets))}

    assert words == {"unknown"}
    settle()
    assert len(orders_there(desk)) == 5
    assert [shares_there(desk, market) for market in markets] == [1000] * 5
    assert {row.attempts for row in Order.objects.all()} == {1}


def test_a_pause_said_to_a_batch_rests_the_venue_once_and_costs_no_decision_a_try(
    desk: Desk, markets: list[Instrument]
) -> None:
    mode(desk, "restart", seconds=0.4, post_only_seconds=0)
    intents = decide_each(markets)

    assert {placed.word for placed in place_all(intents)} == {"rejected"}

    pause = Breaker.objects.get(scope=f"venue:{VENUE}")
    assert (pause.state, pause.pause, pause.latched) == ("OPEN", "restart", False)
    rows = Intent.objects.values_list("state", "dispatch_count", "next_attempt_at")
    assert set(rows) == {("OPEN", 0, pause.resume_at)}
    assert {placed.word for placed in place_all(intents)} == {"gated"}
    assert pause.resume_at is not None
    assert intents_place_due(VENUE, now=pause.resume_at - timedelta(seconds=1)) == {}

    # The pause ends by itself, with nobody to end it.
    desk.exchange.post("clock", advance_seconds=1)
    placed = intents_place_due(VENUE, now=pause.resume_at)
    assert {item.word for item in placed.values()} == {"acked"}
    assert Breaker.objects.get(scope=f"venue:{VENUE}").pause == ""


def test_without_budget_the_orders_wait_exactly_as_long_as_it_takes(
    desk: Desk, markets: list[Instrument]
) -> None:
    intents = decide_each(markets[:3])
    place_all(decide_each(markets[3:]))
    sent = len(orders_there(desk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM plumbing_ratebucket WHERE name LIKE %s", ["polymarket: %"])
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        bucket_empty(name, seconds=2)
    before = utc_now()

    placed = place_all(intents)

    assert {item.word for item in placed} == {"postponed"}
    waits = {(row.state, row.dispatch_count) for row in Intent.objects.filter(pk__in=[i.pk for i in intents])}
    assert waits == {("OPEN", 0)}
    due = {row.next_attempt_at for row in Intent.objects.filter(pk__in=[i.pk for i in intents])}
    assert len(due) == 1 and timedelta(seconds=1.9) < due.pop() - before < timedelta(seconds=9)
    assert (len(orders_there(desk)), Order.objects.filter(state="PREPARED").count()) == (sent, 3)


# ------------------------------------------------------------------------------------------------- two at once
def test_two_workers_with_the_same_intents_in_other_orders_send_each_once(
    desk: Desk, markets: list[Instrument]
) -> None:
    strike(desk, "slow", path=BATCH_PATH, seconds=0.2, count=8)
    ids = [intent.pk for intent in decide_each(markets)]
    orders = [ids, ids[::-1], ids[2:] + ids[:2], ids[1::2] + ids[::2]]
    start = threading.Barrier(len(orders))
    words: list[str] = []
    errors: list[BaseException] = []

    def worker(portion: list[object]) -> None:
        try:
            start.wait()
            words.extend(item.word for item in intents_place(VENUE, portion, now=utc_now()).values())  # type: ignore[arg-type]
        except BaseException as error:
            errors.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(portion,)) for portion in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert (len(words), words.count("acked")) == (20, 5)
    assert set(words) <= {"acked", "raced", "in_doubt", "finished"}
    assert OrderAttempt.objects.count() == 5
    settle()
    assert len(orders_there(desk)) == 5
    assert [shares_there(desk, market) for market in markets] == [1000] * 5


def test_two_workers_that_take_what_is_due_share_it(desk: Desk, markets: list[Instrument]) -> None:
    decide_each(markets)
    start = threading.Barrier(3)
    taken: list[int] = []

    def worker() -> None:
        try:
            start.wait()
            taken.append(len(intents_place_due(VENUE, now=utc_now())))
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 5
    assert OrderAttempt.objects.count() == len(orders_there(desk)) == 5


def test_the_money_of_an_order_in_a_batch_is_what_its_bytes_say(
    desk: Desk, markets: list[Instrument]
) -> None:
    place_all(decide_each(markets))

    assert {(row.size, row.notional_usd, row.price_limit) for row in Order.objects.all()} == {
        (Decimal(1000), Decimal(40), Decimal("0.04"))
    }
