"""Processes killed at every step of a redemption: it pays once, nothing is lost, and seconds later all is known."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from hedging.models import Fill, HedgePosition, Intent, Order, Position
from hedging.services.redemptions import redemptions_open
from hedging.services.resolutions import resolutions_watch
from hedging.services.verification import verify_book
from tests import trading
from tests.desk import Desk
from tests.hedging.services.test_executor_crashes import Dying
from tests.trading import SLUG, VENUE, settle, strike, wait_for
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import Keeper
from venues.models import Instrument
from venues.registry import gateway_for

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]
SEND = "/rpc/eth_sendRawTransaction"


@pytest.fixture
def dying(desk: Desk, keeper: Keeper, tmp_path: Path) -> Iterator[Dying]:
    """Processes that may be killed; the test's database outlives their connections."""
    yield Dying(desk, keeper, tmp_path)
    keeper.stop()


@pytest.fixture
def resolved(desk: Desk) -> Instrument:
    """100 YES shares of a policy's market are held, and the market has resolved YES."""
    mapping = trading.map_market(desk)
    trading.configure(**trading.SETTINGS)
    trading.sell("TONS-C1", 100)
    trading.hedge(desk, bids=[["0.030", "100000"]], asks=[["0.040", "100000"]])
    desk.exchange.post("resolve", slug=SLUG, payout="YES")
    assert resolutions_watch(VENUE, now=utc_now()) == 1
    return mapping.instrument


def decide() -> Intent:
    assert redemptions_open(VENUE, now=utc_now()) == 1
    return Intent.objects.get(purpose="redeem")


def mined(desk: Desk) -> int:
    """How many of our transactions a block has."""
    return sum(
        row["status"] == "mined" and row["kind"] == "eoa"
        for row in desk.exchange.get("chain")["transactions"]
    )


def cash(desk: Desk) -> Decimal:
    return Decimal(desk.truth()["accounts"][desk.address]["pusd"])


def assert_paid_once(desk: Desk, market: Instrument) -> Order:
    order = Order.objects.get(time_in_force="TX")
    fill = Fill.objects.get(order=order)
    assert (order.state, fill.settlement, fill.price) == ("FILLED", "confirmed", Decimal(1))
    assert mined(desk) == 1
    assert trading.shares_there(desk, market) == 0 == Position.objects.get().size
    assert {row.status for row in HedgePosition.objects.all()} == {"closed"}
    assert Intent.objects.get(purpose="redeem").state == "DONE"
    assert verify_book() == []
    return order


@pytest.mark.parametrize(
    ("step", "state", "attempts"),
    [
        ("counted", None, 1),
        ("prepared", "PREPARED", 1),
        ("committed", "SENDING", 2),
        ("answered", "SENDING", 1),
    ],
)
def test_a_death_while_sending(
    desk: Desk, resolved: Instrument, dying: Dying, step: str, state: str | None, attempts: int
) -> None:
    before = cash(desk)
    dying.die(step, "place", decide().pk)
    left = Order.objects.filter(time_in_force="TX").first()
    assert (left.state if left else None) == state

    settle()

    order = assert_paid_once(desk, resolved)
    assert order.attempts == attempts
    assert left is None or order.client_order_id == left.client_order_id
    assert cash(desk) - before == Fill.objects.get(side="SELL").notional_usd


@pytest.mark.parametrize("step", ["booking"])
def test_a_death_while_booking_books_once(desk: Desk, resolved: Instrument, dying: Dying, step: str) -> None:
    order = trading.place(decide())
    wait_for(lambda: mined(desk) == 1)
    dying.die(step, "check", order.pk)
    assert not Fill.objects.filter(order=order).exists()

    settle()

    assert_paid_once(desk, resolved)


@pytest.mark.parametrize(
    "kind", ["timeout_before", "timeout_after", "reset_before", "reset_after", "server_error"]
)
def test_an_answer_that_is_lost(desk: Desk, resolved: Instrument, kind: str) -> None:
    strike(desk, kind, path=SEND, seconds=0.1) if kind.startswith("timeout") else strike(
        desk, kind, path=SEND
    )
    decide()

    settle()

    assert_paid_once(desk, resolved)


def test_a_sender_that_was_asleep_sends_nothing_and_the_other_pays_once(
    desk: Desk, resolved: Instrument, dying: Dying
) -> None:
    child = dying.ready("sleep:committed", "place", decide().pk)
    dying.go(child)
    wait_for(lambda: Order.objects.filter(time_in_force="TX", state="SENDING").exists())

    settle()
    os.killpg(child.process.pid, signal.SIGCONT)
    child.process.wait(timeout=30)

    assert_paid_once(desk, resolved)


def test_the_same_redemption_sent_twice_pays_once(desk: Desk, resolved: Instrument) -> None:
    before = cash(desk)
    order = trading.place(decide())
    again = gateway_for(VENUE).submit(bytes(order.payload))
    assert type(again).__name__ == "AlreadyKnown"

    settle()
    gateway_for(VENUE).submit(bytes(order.payload))

    assert_paid_once(desk, resolved)
    assert cash(desk) - before == Fill.objects.get(side="SELL").notional_usd
