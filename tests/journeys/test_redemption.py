"""From market resolution to cash: bought on the practice exchange, resolved, redeemed on its chain, claim settled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hedging.models import Discrepancy, Fill, HedgePosition, Intent, Mapping, Order, Position
from hedging.services.claims import claims_note_closed
from hedging.services.reconciliation import reconcile_venue
from hedging.services.redemptions import redemptions_open
from hedging.services.resolutions import resolutions_watch
from hedging.services.verification import verify_book
from policies.models import Claim
from policies.services.claims import claim_approve, claim_file, claim_pay, claim_settle
from tests import trading
from tests.desk import Desk
from tests.trading import SLUG, VENUE
from tonsurance.kernel.clock import utc_now
from venues.models import Resolution

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def held(desk: Desk) -> Mapping:
    """Cover is sold and hedged: YES shares of the policy's own market are held."""
    mapping = trading.map_market(desk)
    trading.configure(**trading.SETTINGS)
    trading.sell("TONS-R1", 5000)
    trading.hedge(desk, bids=[["0.030", "100000"]], asks=[["0.040", "100000"]])
    assert HedgePosition.objects.filter(status="open").exists()
    return mapping


def resolve(desk: Desk, payout: str, *, slug: str = SLUG) -> None:
    desk.exchange.post("resolve", slug=slug, payout=payout)


def cash(desk: Desk) -> Decimal:
    account = desk.truth()["accounts"][desk.address]
    return Decimal(account["pusd"]) + Decimal(account["unseen_pusd"])


def redeem(desk: Desk) -> Intent:
    """Watch, decide, and carry the redemption to its end."""
    assert resolutions_watch(VENUE, now=utc_now()) >= 1
    assert redemptions_open(VENUE, now=utc_now()) == 1
    trading.settle()
    return Intent.objects.get(purpose="redeem")


def assert_books_equal(desk: Desk, mapping: Mapping) -> None:
    assert verify_book() == []
    assert reconcile_venue(VENUE, now=utc_now(), window=None).differences == 0
    assert trading.shares_there(desk, mapping.instrument) == 0
    assert Position.objects.get(instrument=mapping.instrument).size == 0
    assert desk.truth()["money"]["is_conserved"] is True


@pytest.mark.parametrize(("payout", "per_unit"), [("YES", "1"), ("NO", "0"), ("50-50", "0.5")])
def test_a_resolved_market_is_redeemed_and_its_slices_closed(
    desk: Desk, held: Mapping, payout: str, per_unit: str
) -> None:
    size = Position.objects.get().size
    cost = Position.objects.get().cost_usd
    before = cash(desk)
    resolve(desk, payout)

    intent = redeem(desk)

    assert Resolution.objects.get().payout == Decimal(per_unit)
    assert intent.state == "DONE", intent.outcome
    fill = Fill.objects.get(order__intent=intent)
    assert (fill.side, fill.size, fill.price) == ("SELL", size, Decimal(per_unit))
    assert fill.settlement == "confirmed"
    assert cash(desk) - before == fill.notional_usd == size * Decimal(per_unit)
    slices = HedgePosition.objects.all()
    assert {row.status for row in slices} == {"closed"}
    assert sum(row.proceeds_usd for row in slices) == fill.notional_usd
    assert fill.realised_pnl_usd == fill.notional_usd - cost
    mapping = Mapping.objects.get(pk=held.pk)
    assert mapping.state == "suspended"
    assert "resolved" in mapping.suspended_reason
    assert_books_equal(desk, held)


def test_a_redemption_pays_a_claim_that_is_paid_later(desk: Desk, held: Mapping) -> None:
    policy_id = HedgePosition.objects.get().policy_id
    event_at = utc_now()
    resolve(desk, "YES")
    redeem(desk)

    claim = claim_file(
        policy_id,
        amount_usd=Decimal(5000),
        event_at=event_at,
        observed_price=Decimal("0.90"),
        evidence="below 0.98 for 24 hours",
        actor="claims desk",
        now=utc_now(),
    )
    claim_approve(claim.pk, reason="the trigger was met", actor="claims lead", now=utc_now())
    claim_pay(claim.pk, payment_reference="tx 0xabc", actor="treasury", now=utc_now())
    assert claims_note_closed(now=utc_now()) == 1
    claim_settle(claim.pk, actor="claims desk", now=utc_now())

    assert Claim.objects.get().hedge_recovery_usd == Fill.objects.get(side="SELL").notional_usd > 0


def test_one_source_alone_moves_no_money(desk: Desk, held: Mapping) -> None:
    resolve(desk, "YES")
    for source in ("clob", "data"):
        desk.exchange.post("contradict", slug=SLUG, source=source, payout="open")

    assert resolutions_watch(VENUE, now=utc_now()) == 0
    assert Resolution.objects.get().state == "proposed"
    assert redemptions_open(VENUE, now=utc_now()) == 0


def test_sources_that_contradict_each_other_are_a_discrepancy(desk: Desk, held: Mapping) -> None:
    resolve(desk, "YES")
    desk.exchange.post("contradict", slug=SLUG, source="data", payout="NO")

    assert resolutions_watch(VENUE, now=utc_now()) == 0
    assert redemptions_open(VENUE, now=utc_now()) == 0
    found = Discrepancy.objects.get(kind="RESOLUTION_CONFLICT")
    assert "pays 0" in found.actual and "pays 1" in found.actual

    desk.exchange.post("contradict", slug=SLUG, source="data", payout="")
    assert resolutions_watch(VENUE, now=utc_now()) == 1
    assert Discrepancy.objects.get(kind="RESOLUTION_CONFLICT").state == "healed"


def test_what_the_venue_redeemed_by_itself_is_adopted(desk: Desk, held: Mapping) -> None:
    size = Position.objects.get().size
    before = cash(desk)
    resolve(desk, "YES")
    desk.exchange.post("redeem", slug=SLUG, address=desk.address)

    assert resolutions_watch(VENUE, now=utc_now()) == 1
    trading.wait_for(
        lambda: redemptions_open(VENUE, now=utc_now()) == 0 and Fill.objects.filter(side="SELL").exists()
    )
    trading.settle()

    order = Order.objects.get(time_in_force="TX")
    assert order.client_order_id.startswith("adopted:0x")
    assert order.attempts == 0
    assert order.intent.requested_by == "external: the venue's AutoRedeemer"
    assert Fill.objects.get(side="SELL").size == size
    assert cash(desk) - before == size
    assert_books_equal(desk, held)


def statement(desk: Desk) -> list[dict[str, Any]]:
    """The chain's transactions of our key, newest first."""
    return [row for row in desk.exchange.get("chain")["transactions"] if row["kind"] == "eoa"]


def test_a_dropped_transaction_is_sent_again_with_the_same_bytes_and_pays_once(
    desk: Desk, held: Mapping
) -> None:
    resolve(desk, "YES")
    desk.exchange.post("chain", fates=[{"fate": "drop"}])

    redeem(desk)

    order = Order.objects.get(time_in_force="TX")
    assert order.state == "FILLED"
    assert order.attempts == 2
    assert [row["status"] for row in statement(desk)] == ["mined"]
    assert_books_equal(desk, held)


def test_a_reverted_transaction_is_followed_by_another(desk: Desk, held: Mapping) -> None:
    resolve(desk, "YES")
    desk.exchange.post("chain", fates=[{"fate": "revert"}])

    redeem(desk)

    states = list(
        Order.objects.filter(time_in_force="TX").order_by("generation").values_list("state", flat=True)
    )
    assert states == ["CANCELLED", "FILLED"]
    assert_books_equal(desk, held)


def test_a_transaction_that_was_replaced_is_proven_absent_and_the_other_adopted(
    desk: Desk, held: Mapping
) -> None:
    resolve(desk, "YES")
    desk.exchange.post("chain", fates=[{"fate": "replace"}])
    assert resolutions_watch(VENUE, now=utc_now()) == 1
    assert redemptions_open(VENUE, now=utc_now()) == 1
    order = trading.place(Intent.objects.get(purpose="redeem"))
    trading.wait_for(lambda: trading.shares_there(desk, held.instrument) == 0)

    order = trading.check(order)
    assert order.state == "UNKNOWN"
    for after in (700, 800):
        order = trading.check(order, after=timedelta(seconds=after))
    assert order.state == "NOT_PLACED", order.reason

    trading.settle()
    assert Intent.objects.get(purpose="redeem").state == "ABANDONED"
    later = utc_now() + timedelta(minutes=11)
    trading.wait_for(
        lambda: bool(redemptions_open(VENUE, now=later)) or Fill.objects.filter(side="SELL").exists()
    )
    trading.settle()
    assert Order.objects.filter(client_order_id__startswith="adopted:", state="FILLED").count() == 1
    assert_books_equal(desk, held)
