"""A day on the practice exchange on which three requests in ten go wrong, and whose books are equal in the end.

Cover is sold, hedged, claimed and unhedged by the services and the engine of production while a seeded storm strikes
every kind of request, settlements fail and retry, look-ups lag, trades come twice and out of order. Then the faults
end, the engine heals what it can, and our book is held against the exchange's own truth to the millionth.

`FAULTY_DAY_HOURS` and `FAULTY_DAY_SEED` make the day longer or another one; a day that fails can be played again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from hedging.models import Breaker, Discrepancy, Fill, Intent, Order, OrderAttempt, Position
from hedging.services.cycles import cycle_run
from hedging.services.engine import Engine
from hedging.services.executor import intent_place
from hedging.services.reconciliation import reconcile_venue
from hedging.services.verification import verify_book
from policies.models import Claim, Policy
from policies.services.claims import claim_approve, claim_file, claim_pay
from policies.services.policies import policy_cancel
from tests.desk import FUNDS_USD, Desk
from tests.trading import SETTINGS, VENUE, configure, faults_clear, map_market, sell
from tonsurance.kernel.clock import utc_now

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOURS = int(os.environ.get("FAULTY_DAY_HOURS", "3"))
SEED = int(os.environ.get("FAULTY_DAY_SEED", "7"))
SHARE = 0.3
COINS = ("USDC", "USDT", "DAI", "FRAX", "PYUSD", "GHO")
ROUNDS_AN_HOUR = 2
LOOKS_AT = (35, 35, 35, 35, 35, 35, 300, 300, 300, 300)
"""Seconds between the engine's looks: often after a cycle, never so rare that patience ends before a second look."""
HEALING_ROUNDS_MAX = 40
MODES: tuple[dict[str, Any], ...] = (
    {"kind": "ghost_fills", "probability": 0.1},
    {"kind": "retrying_fills", "probability": 0.2},
    {"kind": "lookup_lag", "lag_seconds": 3},
    {"kind": "duplicate_trades"},
    {"kind": "reorder_trades"},
    {"kind": "order_null"},
    {"kind": "batch_empty_id"},
)
LIVE = ["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL", "MANUAL"]
DEAD_UNSEEN = {"ABORTED", "REJECTED", "NOT_PLACED"}


class FaultyDay:
    """The desk, a clock that both sides share, and the engine."""

    def __init__(self, desk: Desk, traveller: time_machine.Traveller) -> None:
        self.desk = desk
        self._traveller = traveller
        self._ahead_s = 0.0
        self.engine = Engine(interval_s=0.01)
        self.policies: list[int] = []
        self.struck: Counter[str] = Counter()

    def ahead(self, seconds: float) -> None:
        """Let time pass, here and at the exchange."""
        self._ahead_s += seconds
        self._traveller.shift(timedelta(seconds=seconds))
        self.desk.exchange.post("clock", offset_seconds=self._ahead_s)

    def storm(self, hour: int) -> None:
        """Begin an hour's faults."""
        self.desk.exchange.post("faults", seed=SEED * 1000 + hour, storm=SHARE, seconds=0.1)
        for mode in MODES:
            self.desk.exchange.post("faults", **mode)

    def calm(self) -> None:
        """End the faults and count what they struck."""
        self.struck.update(row["kind"] for row in self.desk.exchange.get("faults")["log"])
        faults_clear(self.desk)

    def hour(self, number: int) -> None:
        """Sell, claim, decide and let the engine look, while everything goes wrong."""
        self.storm(number)
        for turn in range(ROUNDS_AN_HOUR):
            self._refill(asks=[["0.04", "900"], ["0.06", "700"]])
            for index, coin in enumerate(COINS):
                self.policies.append(sell(f"P-{number}-{turn}-{index}", 2000 + 100 * index, stablecoin=coin))
            if number and turn == 0:
                claim(self.policies[-2 * len(COINS)])
                cancel(self.policies[-2 * len(COINS) + 1])
            decided = cycle_run(cause="test")
            for _, intent_id in (decided.intents if decided else [])[::3]:
                # One by one as well as in the engine's batches.
                intent_place(intent_id, now=utc_now())
            for seconds in LOOKS_AT:
                self.engine.run(ticks_max=1)
                self.ahead(seconds)
        self.calm()

    def _refill(self, *, asks: list[list[str]]) -> None:
        for coin in COINS:
            self.desk.book(slug_of(coin), bids=[["0.02", "100000"]], asks=asks)

    def heal(self) -> None:
        """With the faults gone and nothing left to buy, look until all is quiet."""
        self._refill(asks=[])
        self.desk.exchange.post("settlement/run")
        for _ in range(HEALING_ROUNDS_MAX):
            self.engine.run(ticks_max=1)
            self.ahead(180)
            if is_quiet():
                return
        raise AssertionError(f"not quiet after {HEALING_ROUNDS_MAX} rounds: {unrest()}")


@pytest.fixture
def faulty_day(desk: Desk) -> Iterator[FaultyDay]:
    """Mapped markets, trading on, and a clock that can be moved."""
    for coin in COINS:
        map_market(desk, slug=slug_of(coin), stablecoin=coin)
    configure(**SETTINGS)
    desk.exchange.post("limits", signers="enforce", addresses="enforce")
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield FaultyDay(desk, traveller)
    desk.exchange.post("clock", offset_seconds=0)
    desk.exchange.post("limits", signers="warning", addresses="warning")


def slug_of(coin: str) -> str:
    """The market that pays when a coin loses its peg."""
    return f"{coin.lower()}-depeg-by-december-31-2027"


def claim(policy: int) -> None:
    """File, approve and pay a claim of the whole cover."""
    now = utc_now()
    amount = Policy.objects.get(pk=policy).coverage_usd
    filed = claim_file(
        policy,
        amount_usd=amount,
        event_at=now,
        observed_price=Decimal("0.95"),
        evidence="price feed: below 0.98 for 24 hours",
        actor="claims desk",
        now=now,
    )
    claim_approve(filed.pk, reason="the trigger was met", actor="claims lead", now=now)
    claim_pay(filed.pk, payment_reference="tx 0xabc", actor="treasury", now=now)


def cancel(policy: int) -> None:
    """Cancel a policy."""
    policy_cancel(policy, reason="the customer asked", actor="tester", now=utc_now())


def is_quiet() -> bool:
    """Whether no decision is open, no order lives and no trade is between match and settlement."""
    return not any(unrest().values())


def unrest() -> dict[str, list[str]]:
    """What is not at its end."""
    return {
        "intents": [
            f"{row.side} until {row.valid_until:%T}, next {row.next_attempt_at:%T}, now {utc_now():%T}, orders "
            f"{[(order.state, order.reason) for order in row.orders.all()]}, {row.outcome}"
            for row in Intent.objects.filter(state="OPEN")
        ],
        "orders": [f"{row.state} {row.reason}" for row in Order.objects.filter(state__in=LIVE)],
        "fills": [
            f"{row.settlement}" for row in Fill.objects.exclude(settlement__in=["confirmed", "failed"])
        ],
    }


def test_a_day_with_faults_ends_with_equal_books(faulty_day: FaultyDay) -> None:
    for number in range(HOURS):
        faulty_day.hour(number)
    faulty_day.heal()

    desk = faulty_day.desk
    truth = desk.truth()
    assert_orders_equal(truth)
    assert_trades_equal(truth, desk.address)
    assert_holdings_equal(truth, desk.address)
    assert verify_book() == []
    assert reconcile_venue(VENUE, now=utc_now(), window=None).differences == 0
    assert not Discrepancy.objects.filter(state="open").exists()
    assert not Breaker.objects.filter(latched=True).exists()
    assert not Order.objects.filter(state="MANUAL").exists()
    assert not Intent.objects.filter(state="PARKED").exists()
    assert Claim.objects.exists()
    assert not Claim.objects.filter(hedges_closed_at__isnull=True).exists()
    assert truth["money"]["is_conserved"] is True
    assert (len(faulty_day.struck) >= 8, faulty_day.struck.total() >= 50) == (True, True), faulty_day.struck
    in_doubt = OrderAttempt.objects.exclude(outcome="Accepted")
    assert in_doubt.exists(), "a day on which every order was heard at once proves little"


def assert_orders_equal(truth: dict[str, Any]) -> None:
    """Every order there is ours, once; every order of ours is there with the same amounts, or proven never to be."""
    ours = {row.client_order_id: row for row in Order.objects.all()}
    assert set(truth["orders"]) <= set(ours), "the exchange has orders that we do not know"
    for name, order in ours.items():
        theirs = truth["orders"].get(name)
        if theirs is None:
            assert (order.state in DEAD_UNSEEN, order.filled_size) == (True, 0), (order.state, order.reason)
            continue
        failed = [
            truth["trades"][key] for key in theirs["trade_ids"] if truth["trades"][key]["status"] == "FAILED"
        ]
        lost = [leg for trade in failed for leg in trade["legs"] if leg["order_id"] == name]
        shares = Decimal(theirs["filled_shares"]) - sum(Decimal(leg["shares"]) for leg in lost)
        pusd = Decimal(theirs["filled_pusd"]) - sum(Decimal(leg["pusd"]) for leg in lost)
        booked = order.fills.filter(settlement="confirmed")
        assert sum(row.size for row in booked) == shares, name
        assert sum(row.notional_usd for row in booked) == pusd, name


def assert_trades_equal(truth: dict[str, Any], address: str) -> None:
    """Each of our legs of each trade is one fill with the same size, price, fee and end."""
    theirs = {
        (trade_id, leg["order_id"]): (
            leg["side"],
            Decimal(leg["shares"]),
            Decimal(leg["price"]),
            Decimal(leg["pusd"]),
            Decimal(leg["fee"]),
            trade["status"].lower(),
        )
        for trade_id, trade in truth["trades"].items()
        for leg in trade["legs"]
        if leg["address"] == address
    }
    ours = {
        (row.venue_trade_id, row.order.client_order_id): (
            row.side,
            row.size,
            row.price,
            row.notional_usd,
            row.fee_usd,
            row.settlement,
        )
        for row in Fill.objects.select_related("order")
    }
    assert len(ours) == Fill.objects.count()
    assert ours == theirs


def assert_holdings_equal(truth: dict[str, Any], address: str) -> None:
    """Shares and cash in the wallet are what our confirmed fills leave of what was paid in."""
    account = truth["accounts"][address]
    held = {token: Decimal(row["shares"]) for token, row in account["positions"].items()}
    ours = dict(Position.objects.values_list("instrument__instrument_id", "size"))
    assert {token: size for token, size in held.items() if size} == {
        token: size for token, size in ours.items() if size
    }
    cash = FUNDS_USD
    for row in Fill.objects.filter(settlement="confirmed"):
        cash += (row.notional_usd if row.side == "SELL" else -row.notional_usd) - row.fee_usd
    assert Decimal(account["pusd"]) == cash
    assert Decimal(account["reserved_pusd"]) == 0
