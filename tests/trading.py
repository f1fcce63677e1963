"""The steps of a trading day for tests: map a market, sell cover, decide, place, look up, settle, ask the exchange.

Every step calls the services that production calls; only the waiting is done here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from hedging.models import Breaker, Fill, Intent, Mapping, Order
from hedging.services.config import config_set
from hedging.services.cycles import CycleResult, cycle_run
from hedging.services.executor import intent_place
from hedging.services.intents import Decision, intent_open
from hedging.services.mappings import mapping_approve, mapping_propose
from hedging.services.resolver import order_check
from hedging.services.settlements import settlements_watch
from policies.models import Product
from policies.services.policies import policy_record_sale
from tests.desk import Desk
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import environment_of_children
from venues.domain.gateway import Side
from venues.models import Instrument
from venues.services.instruments import instruments_refresh

VENUE = "polymarket"
SLUG = "usdc-depeg-by-december-31-2027"
OTHER_SLUG = "usdt-depeg-by-december-31-2027"
ORDER_PATH = "/clob/order"
BIDS = [["0.020", "100000"]]
ASKS = [["0.040", "1000"], ["0.050", "1000"]]
SETTINGS = {
    "enabled": True,
    "venueShares": {"polymarket": "1", "binance_futures": "0", "allianz": "0"},
    "maxSlippageBps": 10000,
    "maxNotionalPerOrder": 50000,
}
FAR = timedelta(seconds=30)
"""Past the deadline of a sender that has not answered, and within the life of a decision."""


def configure(**settings: Any) -> None:
    """Store settings by their camelCase names."""
    for key, value in settings.items():
        config_set(key, value, actor="tester", reason="the test's story", now=utc_now())


def map_market(desk: Desk, *, slug: str = SLUG, stablecoin: str = "USDC", chain: str = "ethereum") -> Mapping:
    """Propose and approve the YES outcome of a market for one depeg product."""
    now = utc_now()
    yes = desk.market(slug)["token_ids"][0]
    instrument = instruments_refresh(VENUE, now=now, instrument_ids=[yes])[0]
    mapping, _ = mapping_propose(
        product=Product.objects.get(coverage_type="depeg", chain=chain, stablecoin=stablecoin),
        instrument=instrument,
        grade=Mapping.Grade.DIRECT,
        basis_probability=Decimal(1),
        pays_on=f"{stablecoin} trading below $0.98 for 24 hours",
    )
    return mapping_approve(mapping.pk, actor="tester", now=now)


def sell(
    external_id: str, coverage_usd: int | str, *, stablecoin: str = "USDC", chain: str = "ethereum"
) -> int:
    """Sell depeg cover for 30 days; return the policy's id."""
    policy, _ = policy_record_sale(
        external_id=external_id,
        holder="alice",
        coverage_type="depeg",
        chain=chain,
        stablecoin=stablecoin,
        coverage_usd=Decimal(coverage_usd),
        duration_days=30,
        source="test",
        actor="tester",
        now=utc_now(),
    )
    return policy.pk


def decide(
    instrument: Instrument,
    *,
    size: str = "1000",
    usd: str = "50",
    price: str = "0.050",
    side: Side = Side.BUY,
    valid_s: int = 240,
) -> Intent:
    """Open one intent by hand, without a cycle and without demands."""
    intent = intent_open(
        Decision(
            instrument=instrument,
            side=side,
            size=Decimal(size),
            notional_usd=Decimal(usd),
            price_limit=Decimal(price),
        ),
        valid_for=timedelta(seconds=valid_s),
        actor="tester",
        now=utc_now(),
    )
    assert intent is not None, "the lane is taken"
    return intent


def cycle() -> CycleResult:
    """Run one cycle, which nobody else may be doing."""
    result = cycle_run(cause="test")
    assert result is not None
    return result


def place(intent: Intent) -> Order:
    """Take an intent one step further and return the order it was about."""
    placed = intent_place(intent.pk, now=utc_now())
    assert placed.order_id is not None, placed
    return Order.objects.get(pk=placed.order_id)


def check(order: Order, *, after: timedelta = timedelta(0)) -> Order:
    """Look an order up, `after` from now, and return it as it stands then."""
    order_check(order.pk, now=utc_now() + after)
    return Order.objects.get(pk=order.pk)


def probes(count: int) -> None:
    """Half-open the venue: the send gate itself lets so many more orders through."""
    Breaker.objects.filter(scope=f"venue:{VENUE}").update(
        state="HALF_OPEN",
        opened_at=utc_now(),
        probe_budget=count,
        reason="probing",
        changed_by="risk.officer",
    )


def wait_for(true: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Repeat a question until it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def settle() -> None:
    """Place, look up and follow until no intent is open, no order lives and no fill is provisional."""

    def done() -> bool:
        for order in Order.objects.filter(state__in=["SENDING", "UNKNOWN", "ACKED", "PARTIAL"]):
            order_check(order.pk, now=utc_now() + FAR)
        settlements_watch(VENUE, now=utc_now())
        for intent in Intent.objects.filter(state="OPEN"):
            intent_place(intent.pk, now=utc_now())
        live = Order.objects.filter(state__in=["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL"])
        unsettled = Fill.objects.exclude(settlement__in=["confirmed", "failed"])
        return not (Intent.objects.filter(state="OPEN").exists() or live.exists() or unsettled.exists())

    wait_for(done)


def hedge(desk: Desk, *, asks: Iterable[list[str]] = ASKS, bids: Iterable[list[str]] = BIDS) -> CycleResult:
    """Set the market's book, run a cycle and carry it to its end."""
    desk.book(SLUG, bids=list(bids), asks=list(asks))
    result = cycle()
    settle()
    return result


def orders_there(desk: Desk) -> dict[str, dict[str, Any]]:
    """The exchange's truth: every order of our account that it ever took, by hash."""
    return {
        key: row
        for key, row in desk.truth()["orders"].items()
        if row["maker"].lower() == desk.address.lower()
    }


def shares_there(desk: Desk, instrument: Instrument) -> Decimal:
    """The exchange's truth: units of an instrument in our wallet."""
    held = desk.truth()["accounts"][desk.address]["positions"].get(instrument.instrument_id)
    return Decimal(held["shares"]) if held else Decimal(0)


def posts_there(desk: Desk) -> int:
    """How many POSTs of orders the fault plan's rules struck."""
    return sum(1 for row in desk.exchange.get("faults")["log"] if row["path"] == ORDER_PATH)


def strike(desk: Desk, kind: str, *, path: str = ORDER_PATH, method: str = "POST", **values: Any) -> None:
    """Let the next matching request suffer a fault."""
    desk.exchange.post("faults", kind=kind, method=method, path=path, **values)


def mode(desk: Desk, kind: str, **values: Any) -> None:
    """Change how the venue behaves, until the test ends or its faults are cleared."""
    desk.exchange.post("faults", kind=kind, **values)


def faults_clear(desk: Desk) -> None:
    """End every fault."""
    desk.exchange.post("faults", seed=1, faults=[])


def environment(desk: Desk, **variables: str) -> dict[str, str]:
    """The environment of a process that works on this test's database and exchange."""
    told = connection.settings_dict
    return environment_of_children(
        **desk.variables
        | {
            "DATABASE_URL": f"postgres://{told['USER']}@/{told['HOST']}/{told['NAME']}",
            "DJANGO_SETTINGS_MODULE": "tonsurance.settings",
            "NO_PROXY": "127.0.0.1,localhost",
            "LOG_LEVEL": "WARNING",
        }
        | variables
    )
