"""The whole story: cover is sold over the API, hedged through the real queues, claimed, its hedge sold, and settled.

Everything is a process of its own, as in production: Celery workers, the engine, the practice exchange, Valkey and
PostgreSQL.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from hedging.models import Cycle, Fill, HedgePosition, Mapping, Order
from hedging.services.config import config_set
from hedging.services.mappings import mapping_approve, mapping_propose
from hedging.services.reconciliation import reconcile_venue
from hedging.services.verification import verify_book
from policies.models import Claim, Policy, Product
from policies.services.claims import claim_approve, claim_file, claim_pay, claim_settle
from tests.desk import Desk
from tonsurance.kernel.clock import utc_now
from tonsurance.launch.keeper import environment_of_children
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.models import ApiKey
from venues.services.instruments import instruments_refresh

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

SLUG = "usdc-depeg-by-december-31-2027"
SALE = {
    "external_id": "TONS-1",
    "holder": "EQAlice",
    "coverage_type": "depeg",
    "chain": "ethereum",
    "stablecoin": "USDC",
    "coverage_usd": "50000",
    "duration_days": 30,
}
QUOTE = {
    "coverage_type": "depeg",
    "chain": "ethereum",
    "stablecoin": "USDC",
    "coverage_amount": "50000",
    "duration_days": 30,
}


def wait_for(true: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    """Repeat a question until it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited too long: {what}"
        time.sleep(0.1)


@pytest.fixture
def product_processes(desk: Desk, redis_url: str) -> Iterator[None]:
    """A worker for each group of queues, and the engine, on the test's database and exchange."""
    told = connection.settings_dict
    environment = environment_of_children(
        **desk.variables,
        DATABASE_URL=f"postgres://{told['USER']}@/{told['HOST']}/{told['NAME']}",
        REDIS_URL=redis_url,
        DJANGO_SETTINGS_MODULE="tonsurance.settings",
        NO_PROXY="127.0.0.1,localhost",
    )
    commands: dict[str, list[str]] = {"engine": [sys.executable, "manage.py", "run_engine"]}
    for name, queues in settings.CELERY_WORKERS.items():
        commands[name] = [
            *(sys.executable, "-m", "celery", "--app", "tonsurance", "--quiet", "worker"),
            *("--queues", ",".join(queues), "--hostname", f"{name}@journey", "--concurrency", "1"),
            *("--without-gossip", "--without-mingle"),
        ]
    children = [
        desk.keeper.spawn(
            name, command, log=desk.home / f"{name}.log", environment=environment, stage=2, patience_s=5
        )
        for name, command in commands.items()
    ]
    yield
    for child in children:
        desk.keeper.expect_end(child)
        child.process.terminate()
    for child in children:
        child.process.wait(timeout=30)


@pytest.fixture
def api(live_server: Any) -> Iterator[httpx.Client]:
    """A client of the API with a key that may write."""
    _, key = ApiKey.objects.create(User.objects.create_user("shop"), name="shop", scopes=["read", "write"])
    with httpx.Client(
        base_url=f"{live_server.url}/api/v2",
        headers={"Authorization": f"Token {key}"},
        trust_env=False,
        timeout=20,
    ) as client:
        yield client


def prepare_market(desk: Desk) -> None:
    """USDC depeg is mapped and approved, trading is on, and the book is deep enough for the whole share."""
    now = utc_now()
    desk.book(SLUG, bids=[["0.030", "200000"]], asks=[["0.040", "200000"]])
    yes = desk.market(SLUG)["token_ids"][0]
    instrument = instruments_refresh("polymarket", now=now, instrument_ids=[yes])[0]
    mapping, _ = mapping_propose(
        product=Product.objects.get(coverage_type="depeg", chain="ethereum", stablecoin="USDC"),
        instrument=instrument,
        grade=Mapping.Grade.DIRECT,
        basis_probability=Decimal(1),
        pays_on="USDC trading below $0.98 for 24 hours",
    )
    mapping_approve(mapping.pk, actor="risk officer", now=now)
    for key, value in {"enabled": True, "maxSlippageBps": 5000}.items():
        config_set(key, value, actor="risk officer", reason="practice day", now=now)


def test_from_sale_to_settled_claim(desk: Desk, product_processes: None, api: httpx.Client) -> None:
    prepare_market(desk)

    quote = api.post("/quote/multi-dimensional", json=QUOTE)
    assert quote.status_code == 200, quote.text
    sold = api.post("/policies", json=SALE, headers={"Idempotency-Key": "sale-of-TONS-1-0001"})
    assert sold.status_code == 201, sold.text
    again = api.post("/policies", json=SALE, headers={"Idempotency-Key": "sale-of-TONS-1-0001"})
    assert again.json() == sold.json()
    policy = Policy.objects.get()

    # 40 % of 20 % of $50,000 is $4,000; at 4 cents and 7 % of p(1-p) in fees that is under 94,000 shares, more than the
    # cover: the hedge stops at 50,000 shares, which pay what the policy pays.
    wait_for(lambda: HedgePosition.objects.filter(policy=policy).exists(), "the hedge of the sale")
    wait_for(lambda: not Fill.objects.exclude(settlement="confirmed").exists(), "settlement")
    assert Cycle.objects.filter(state="done").latest("pk").cause != "operator"
    assert sum(row.size for row in HedgePosition.objects.all()) == Decimal(50_000)

    shown = api.get("/hedges/positions", params={"status": "open"}).json()
    order = Order.objects.get()
    assert shown["count"] == 1
    row = shown["results"][0]
    assert (row["coverage_type"], row["chain"], row["asset"], row["venue"]) == (
        "depeg",
        "ethereum",
        "USDC",
        "polymarket",
    )
    assert row["external_order_id"] == order.client_order_id
    assert Decimal(row["entry_price"]) == Decimal("0.04")
    report = StringIO()
    call_command("hedge_report", stdout=report)
    assert "Total Coverage Amount: $50,000" in report.getvalue()
    assert "Open Positions: 1" in report.getvalue()

    claim = claim_file(
        policy.pk,
        amount_usd=Decimal(50_000),
        event_at=utc_now(),
        observed_price=Decimal("0.95"),
        evidence="price feed: below 0.98 for 24 hours",
        actor="claims desk",
        now=utc_now(),
    )
    claim_approve(claim.pk, reason="the trigger was met", actor="claims lead", now=utc_now())
    claim_pay(claim.pk, payment_reference="tx 0xabc", actor="treasury", now=utc_now())
    ring("hedging.orchestrate", "claim paid")

    wait_for(lambda: Claim.objects.get().hedges_closed_at is not None, "the hedges of the claim to be sold")
    claim_settle(claim.pk, actor="claims desk", now=utc_now())

    policy.refresh_from_db()
    closed = HedgePosition.objects.get()
    assert policy.status == "settled"
    assert closed.status == "closed"
    sale = Fill.objects.get(side="SELL")
    assert Claim.objects.get().hedge_recovery_usd == sale.notional_usd - sale.fee_usd == closed.proceeds_usd
    assert closed.realised_pnl_usd == closed.proceeds_usd - closed.hedge_amount_usd
    assert_books_equal(desk)


def assert_books_equal(desk: Desk) -> None:
    """Our invariants hold, the venue's reports agree, and the exchange's own truth has the same orders and amounts."""
    assert verify_book() == []
    assert reconcile_venue("polymarket", now=utc_now(), window=None).differences == 0
    truth = desk.truth()
    assert set(truth["orders"]) == set(
        Order.objects.filter(attempts__gte=1).values_list("client_order_id", flat=True)
    )
    for order in Order.objects.all():
        theirs = truth["orders"][order.client_order_id]
        assert Decimal(theirs["filled_shares"]) == order.filled_size
        assert Decimal(theirs["filled_pusd"]) == order.filled_usd
    assert truth["money"]["is_conserved"] is True
