"""Two things at once: sixteen connections that all want the same, and what the database makes of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import Error, connection, transaction
from django.db.models import F

from hedging.models import Breaker, Order, OrderAttempt, RiskBucket
from tests import factories as make
from tests.hedging.models.refusals import reason_of, sql

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = 16


def _at_once(acts: Sequence[Callable[[], str]]) -> Counter[str]:
    """Start every act at the same moment on its own connection; how often each word came back.

    A refusal's word is its reason, so that a deadlock (40P01) would be seen as one.
    """
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], str]) -> str:
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            return act()
        except Error as error:
            return reason_of(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def _send(row: Order) -> str:
    """Commit to send, as the executor does: compare-and-set and attempt in one transaction."""
    with transaction.atomic(durable=True):
        moved = Order.objects.filter(pk=row.pk, state="PREPARED").update(
            state="SENDING", attempts=F("attempts") + 1
        )
        if moved != 1:
            return "somebody else"
        OrderAttempt.objects.create(
            order_id=row.pk,
            attempt_no=1,
            payload_sha=bytes(row.payload_sha),
            worker="host:1",
            started_at=make.NOW,
        )
    return "sent"


def _prepared(count: int) -> list[Order]:
    return [make.order(make.intent(make.instrument())) for _ in range(count)]


def test_one_order_is_sent_by_one_of_sixteen() -> None:
    (row,) = _prepared(1)
    assert _at_once([lambda: _send(row)] * WRITERS) == {"sent": 1, "somebody else": WRITERS - 1}
    row.refresh_from_db()
    assert (row.state, row.attempts, row.attempt_rows.count()) == ("SENDING", 1, 1)


@pytest.mark.parametrize("scope", ["global", "venue:polymarket"])
def test_sixteen_sends_cannot_share_the_last_dollar(scope: str) -> None:
    """Each may cost $84; five fit under $420 exactly, and under $503.999999 as well."""
    for cap, fits in ((Decimal(420), 5), (Decimal("503.999999"), 5)):
        sql("TRUNCATE hedging_order CASCADE")
        rows = _prepared(WRITERS)
        RiskBucket.objects.filter(code=scope).update(cap_usd=cap)
        sent = _at_once([partial(_send, row) for row in rows])
        assert sent == {"sent": fits, "HB002": WRITERS - fits}
        assert sql("SELECT sum(notional_usd + fee_usd_max) FROM hedging_order WHERE state = 'SENDING'") == [
            (Decimal("420.000000"),)
        ]


def test_orders_of_two_venues_meet_at_the_global_cap_without_a_deadlock() -> None:
    venues = [make.venue(), make.venue("binance_futures")]
    rows = [make.order(make.intent(make.instrument(at=venues[n % 2]))) for n in range(WRITERS)]
    RiskBucket.objects.filter(code="global").update(cap_usd=Decimal(84 * 9))
    assert _at_once([partial(_send, row) for row in rows]) == {"sent": 9, "HB002": 7}


@pytest.mark.parametrize("probes", [0, 1, 3])
def test_each_probe_of_a_half_open_breaker_is_used_once(probes: int) -> None:
    rows = _prepared(WRITERS)
    make.breaker("venue:polymarket", state="HALF_OPEN", opened_at=make.NOW, probe_budget=probes)
    expected = {"sent": probes, "HB001": WRITERS - probes} if probes else {"HB001": WRITERS}
    assert _at_once([partial(_send, row) for row in rows]) == expected
    assert Breaker.objects.get(scope="venue:polymarket").probe_budget == 0


def test_a_send_waits_for_the_trip_that_is_being_committed_and_is_refused() -> None:
    (row,) = _prepared(1)
    words: list[str] = []
    with transaction.atomic():
        Breaker.objects.filter(scope="global").update(state="OPEN", opened_at=make.NOW, reason="kill")
        sender = threading.Thread(target=lambda: words.extend(_at_once([lambda: _send(row)])))
        sender.start()
        sender.join(timeout=0.5)
        assert sender.is_alive(), "the send did not wait for the trip"
    sender.join(timeout=30)
    assert words == ["HB001"]


def test_one_successor_is_born_of_sixteen() -> None:
    wanted = make.intent(make.instrument())
    make.order(wanted, state="REJECTED")

    def prepare() -> str:
        make.order(wanted, generation=1)
        return "born"

    born = _at_once([prepare] * WRITERS)
    assert born.pop("born") == 1
    # Whoever looks later finds a live order of that generation; which rule says so first is PostgreSQL's affair.
    assert set(born) <= {"order_one_per_generation", "order_one_live_per_intent"}
    assert sum(born.values()) == WRITERS - 1


def test_one_trade_told_by_sixteen_is_counted_once() -> None:
    row = make.order(make.intent(make.instrument()), state="ACKED")

    def tell() -> str:
        make.fill(row, size="100", venue_trade_id="trade-a", settlement="matched")
        return "counted"

    assert _at_once([tell] * WRITERS) == {"counted": 1, "fill_one_per_venue_trade": WRITERS - 1}
    row.refresh_from_db()
    assert (row.filled_size, row.filled_usd) == (100, 8)


def test_sixteen_trades_of_one_order_lose_no_update() -> None:
    row = make.order(make.intent(make.instrument()), state="ACKED")

    def trade(number: int) -> str:
        make.fill(row, size="62.5", fee_usd="0.1", venue_trade_id=f"trade-{number}", settlement="matched")
        return "counted"

    assert _at_once([partial(trade, number) for number in range(WRITERS)]) == {"counted": WRITERS}
    row.refresh_from_db()
    assert (row.filled_size, row.filled_usd, row.fee_usd) == (1000, 80, Decimal("1.6"))


def test_an_intent_ends_or_gets_its_order_but_never_both() -> None:
    wanted = [make.intent(make.instrument()) for _ in range(WRITERS // 2)]

    def prepare(which: int) -> str:
        make.order(wanted[which], generation=0)
        return "born"

    def end(which: int) -> str:
        sql(
            "UPDATE hedging_intent SET state = 'ABANDONED', finished_at = now() WHERE id = %s",
            wanted[which].pk,
        )
        return "ended"

    acts = [partial(act, number) for number in range(len(wanted)) for act in (prepare, end)]
    words = _at_once(acts)
    assert words["born"] == words["HB052"]
    assert words["ended"] == words["HB011"]
    assert words["born"] + words["ended"] == len(wanted)
    assert sql("SELECT count(*) FROM hedging_order") == [(words["born"],)]


def test_sixteen_whole_lives_at_once_leave_every_move_on_record() -> None:
    """Send, doubt, the same bytes again, an acknowledgement, a trade, the end, while a switch is thrown to and fro."""
    rows = _prepared(WRITERS)

    def live(row: Order) -> str:
        _send(row)
        for word in ("UNKNOWN", "SENDING", "ACKED"):
            make.order_move(row, word)
        make.fill(row, size="999.9", settlement="matched")
        make.order_move(row, "FILLED")
        return row.state

    def throw() -> str:
        for _ in range(10):
            with transaction.atomic():
                breaker = Breaker.objects.select_for_update().get(scope="venue:polymarket")
                breaker.effect = "REDUCE_ONLY" if breaker.effect == "HALT" else "HALT"
                breaker.changed_by = "risk.officer"
                breaker.save()
        return "thrown"

    assert _at_once([throw, *(partial(live, row) for row in rows)]) == {"FILLED": WRITERS, "thrown": 1}
    moves = "PREPARED SENDING UNKNOWN SENDING ACKED FILLED"
    assert sql(
        "SELECT DISTINCT string_agg(new, ' ' ORDER BY id) FROM hedging_orderevent GROUP BY order_id"
    ) == [(moves,)]
    assert sql(
        "SELECT count(*) FROM hedging_breakerevent WHERE scope = 'venue:polymarket' AND old <> ''"
    ) == [(10,)]


def test_a_send_waits_for_the_cap_that_is_being_lowered_and_is_refused() -> None:
    (row,) = _prepared(1)
    words: list[str] = []
    with transaction.atomic():
        RiskBucket.objects.filter(code="venue:polymarket").update(cap_usd=0)
        sender = threading.Thread(target=lambda: words.extend(_at_once([lambda: _send(row)])))
        sender.start()
        sender.join(timeout=0.5)
        assert sender.is_alive(), "the send did not wait for the new cap"
    sender.join(timeout=30)
    assert words == ["HB002"]
