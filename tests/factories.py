"""Small functions that make valid rows of every table, in the way the database's own rules allow.

Orders are walked to their state through legal moves, fills count themselves, and confirmed purchases bring their
position; nothing here switches a trigger off.
"""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import transaction

from hedging.models import (
    Attribution,
    Breaker,
    Cycle,
    CycleLeg,
    CycleTarget,
    Discrepancy,
    Fill,
    HedgeConfigEntry,
    HedgePosition,
    Intent,
    IntentDemand,
    Mapping,
    Order,
    OrderAttempt,
    Position,
    ReconciliationRun,
    RiskBucket,
)
from hedging.services.held_shares import ShareChange, shares_add, shares_take
from policies.domain.catalogue import PRODUCTS_PER_COVERAGE, Chain, CoverageType, ProductKey, Stablecoin
from policies.domain.coverage import PolicyStatus
from policies.models import ExposureDelta, Policy, Product
from tonsurance.plumbing.models import ApiKey
from venues.domain.wording import wording_hash
from venues.models import BalanceSnapshot, BookSnapshot, Instrument, Venue

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)

_SHARES = {"polymarket": "0.4", "binance_futures": "0.4", "allianz": "0.2"}
_KINDS = {
    "polymarket": Venue.Kind.PREDICTION_MARKET,
    "binance_futures": Venue.Kind.PERPETUALS,
    "allianz": Venue.Kind.REINSURER,
}
_NAMES = {"polymarket": "Polymarket", "binance_futures": "Binance futures", "allianz": "Allianz"}

# The moves from PREPARED to each state.
_WALKS: dict[str, list[str]] = {
    "PREPARED": [],
    "ABORTED": ["ABORTED"],
    "SENDING": ["SENDING"],
    "ACKED": ["SENDING", "ACKED"],
    "PARTIAL": ["SENDING", "PARTIAL"],
    "FILLED": ["SENDING", "FILLED"],
    "CANCELLED": ["SENDING", "CANCELLED"],
    "REJECTED": ["SENDING", "REJECTED"],
    "UNKNOWN": ["SENDING", "UNKNOWN"],
    "MANUAL": ["SENDING", "UNKNOWN", "MANUAL"],
    "EXPIRED": ["SENDING", "ACKED", "EXPIRED"],
    "NOT_PLACED": ["SENDING", "UNKNOWN", "NOT_PLACED"],
}


def number() -> int:
    """A number that no earlier call has given."""
    return next(_numbers)


# ------------------------------------------------------------------------------------------------ people and keys
def superuser(username: str = "risk.officer", *, password: str | None = None) -> User:
    """A person who may do everything; without a password (hashing takes a while) only a test client gets in."""
    return User.objects.create_superuser(username=username, password=password)


def staff(*permissions: str, username: str = "") -> User:
    """A person who may enter the admin, with `app.codename` permissions and no others."""
    user = User.objects.create_user(username=username or f"staff{number()}", is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def api_key(*scopes: str, username: str = "") -> str:
    """A key with `scopes` (read unless said otherwise), as its owner sends it."""
    user = User.objects.create_user(username=username or f"client{number()}")
    _, spelling = ApiKey.objects.create(user, name="test", scopes=list(scopes) or ["read"])
    return spelling


# ------------------------------------------------------------------------------------------------ promises
def product(
    coverage_type: str = "depeg",
    chain: str = "ethereum",
    stablecoin: str = "USDC",
    *,
    hedge_ratio: str = "0.20",
    **values: Any,
) -> Product:
    """One cell of the catalogue, with the id that it has there."""
    key = ProductKey(
        coverage_type=CoverageType(coverage_type), chain=Chain(chain), stablecoin=Stablecoin(stablecoin)
    )
    row, _ = Product.objects.update_or_create(
        pk=key.number,
        defaults={
            "coverage_type": coverage_type,
            "chain": chain,
            "stablecoin": stablecoin,
            "is_valid": True,
            "invalid_reason": "",
            "life": "active",
            "base_rate": Decimal("0.008"),
            "hedge_ratio": Decimal(hedge_ratio),
            **values,
        },
    )
    return row


def policy(
    of: Product, coverage_usd: str = "100000", *, external_id: str = "", now: datetime = NOW, **values: Any
) -> Policy:
    """A policy in force, with the exposure that it adds."""
    is_depeg = of.pk < PRODUCTS_PER_COVERAGE
    row = Policy.objects.create(
        external_id=external_id or f"POL-{number():06d}",
        holder="EQ-holder",
        product=of,
        coverage_usd=Decimal(coverage_usd),
        premium_usd=Decimal("65.75"),
        starts_at=now - timedelta(days=1),
        expires_at=now + timedelta(days=30),
        trigger_price=Decimal("0.98") if is_depeg else None,
        trigger_window_s=86_400 if is_depeg else None,
        status=values.pop("status", PolicyStatus.ACTIVE),
        source="test",
        created_at=now - timedelta(days=1),
        **values,
    )
    ExposureDelta.objects.create(product=of, coverage_usd=row.coverage_usd, policies_count=1)
    return row


# ------------------------------------------------------------------------------------------------ markets
def venue(code: str = "polymarket", **values: Any) -> Venue:
    """One of the three venues, with the founding document's share, its breaker and its cap."""
    row, _ = Venue.objects.update_or_create(
        pk=code,
        defaults={
            "name": _NAMES[code],
            "kind": _KINDS[code],
            "position": list(_SHARES).index(code),
            **values,
        },
    )
    scopes = ["global", f"venue:{code}"]
    Breaker.objects.bulk_create([Breaker(scope=scope) for scope in scopes], ignore_conflicts=True)
    caps = [RiskBucket(code=scope, cap_usd=Decimal(1_000_000)) for scope in scopes]
    RiskBucket.objects.bulk_create(caps, ignore_conflicts=True)
    return row


def venues() -> list[Venue]:
    """All three."""
    return [venue(code) for code in _SHARES]


def instrument(
    *, at: Venue | None = None, question: str = "Will USDC trade below $0.98 before 2027?", **values: Any
) -> Instrument:
    """A YES token of an open market."""
    serial = number()
    description = values.pop(
        "description", "Resolves YES if USDC trades below $0.98 for 24 hours on Coinbase."
    )
    return Instrument.objects.create(
        venue=at or venue(),
        instrument_id=values.pop("instrument_id", f"7129403{serial:060d}"),
        condition_id=f"0x{serial:064x}",
        market_id=str(500_000 + serial),
        slug=values.pop("slug", f"usdc-below-98-cents-{serial}"),
        question=question,
        description=description,
        wording_hash=wording_hash(question, description),
        outcome=values.pop("outcome", "Yes"),
        tick_size=Decimal("0.01"),
        size_min=Decimal(5),
        notional_usd_min=Decimal(1),
        fee_rate=Decimal("0.05"),
        fee_exponent=1,
        accepting_orders=values.pop("accepting_orders", True),
        end_at=NOW + timedelta(days=60),
        refreshed_at=NOW,
        **values,
    )


def book(
    of: Instrument,
    *,
    taken_at: datetime = NOW,
    bids: list[list[str]] | None = None,
    asks: list[list[str]] | None = None,
) -> BookSnapshot:
    """A thin book: 1,000 at 4 and 5 cents against 800 and 2,500 at 8 and 10 cents."""
    bids = [["0.05", "1000"], ["0.04", "1000"]] if bids is None else bids
    asks = [["0.08", "800"], ["0.10", "2500"]] if asks is None else asks
    return BookSnapshot.objects.create(
        instrument=of,
        bids=bids,
        asks=asks,
        best_bid=Decimal(bids[0][0]) if bids else None,
        best_ask=Decimal(asks[0][0]) if asks else None,
        venue_at=taken_at,
        taken_at=taken_at,
        book_hash="0xbook",
    )


def balance(at: Venue | None = None, total: str = "250000.50") -> BalanceSnapshot:
    """Money that the venue says we have."""
    return BalanceSnapshot.objects.create(
        venue=at or venue(), currency="pUSD", total=Decimal(total), taken_at=NOW
    )


def mapping(of: Product, to: Instrument, *, approved_by: str = "risk.officer", **values: Any) -> Mapping:
    """An approved, direct mapping; `approved_by=""` leaves it proposed."""
    if approved_by:
        values = {
            "state": Mapping.State.APPROVED,
            "approved_by": approved_by,
            "approved_at": NOW - timedelta(days=2),
            "approved_wording_hash": to.wording_hash,
            "changed_by": approved_by,
        } | values
    return Mapping.objects.create(
        product=of,
        instrument=to,
        grade=values.pop("grade", Mapping.Grade.DIRECT),
        pays_on="USDC trades below $0.98 for 24 hours",
        **values,
    )


def mapped(to: Instrument) -> None:
    """Let `to` be bought: the database refuses a purchase of what nobody has mapped and approved.

    The product is one that no other row is about.
    """
    if not Mapping.objects.filter(instrument=to, state=Mapping.State.APPROVED).exists():
        mapping(product("cex_liquidation", "bitcoin", "USDP"), to)


# ------------------------------------------------------------------------------------------------ decisions
def cycle(**values: Any) -> Cycle:
    """A finished run that sends orders."""
    return Cycle.objects.create(
        **{
            "cause": "beat",
            "mode": Cycle.Mode.SEND,
            "environment": "PRACTICE",
            "state": Cycle.State.DONE,
            "as_of": NOW - timedelta(minutes=3),
            "finished_at": NOW - timedelta(minutes=3) + timedelta(seconds=2),
            **values,
        }
    )


def leg(of: Cycle, to: Product, at: Venue, *, reason: str = "hedged", **values: Any) -> CycleLeg:
    """What a cycle decided for one product on one venue."""
    return CycleLeg.objects.create(
        cycle=of,
        product=to,
        venue=at,
        reason=reason,
        **{
            "coverage_usd": Decimal(100_000),
            "required_usd": Decimal(8_000),
            "outcome": "hedged" if reason == "hedged" else "unhedged",
            "sentence": "bought within the limits",
            **values,
        },
    )


def target(of: Cycle, to: Instrument, *, on: BookSnapshot | None = None, **values: Any) -> CycleTarget:
    """What a cycle wanted on one instrument."""
    return CycleTarget.objects.create(
        cycle=of,
        instrument=to,
        book=on,
        side="BUY",
        **{
            "size": Decimal(1000),
            "notional_usd": Decimal(80),
            "fee_usd": Decimal("3.68"),
            "price_limit": Decimal("0.10"),
            "price_average": Decimal("0.08"),
            "held": {"confirmed": "0", "pending": "0", "in_flight": "0"},
            "reason": "buy",
            "sentence": "buy 1,000 at $0.08",
            **values,
        },
    )


def intent(
    to: Instrument, *, of: Cycle | None = None, demand: dict[int, str] | None = None, **values: Any
) -> Intent:
    """A decision to buy 1,000 for at most $80; `demand` is product id -> payout wanted."""
    serial = number()
    if values.get("purpose", Intent.Purpose.OPEN) == Intent.Purpose.OPEN:
        mapped(to)
    row = Intent.objects.create(
        **{
            "decision_key": f"decision-{serial}",
            "cycle": of,
            "venue_id": to.venue_id,
            "instrument": to,
            "leg": f"lane-{serial}",
            "purpose": Intent.Purpose.OPEN,
            "side": "BUY",
            "size": Decimal(1000),
            "notional_usd": Decimal(80),
            "price_limit": Decimal("0.10"),
            "next_attempt_at": NOW,
            "valid_until": NOW + timedelta(minutes=10),
            "created_at": NOW,
            "requested_by": "system",
            **values,
        }
    )
    for product_id, weight_usd in (demand or {}).items():
        IntentDemand.objects.create(intent=row, product_id=product_id, weight_usd=Decimal(weight_usd))
    return row


def order(
    for_intent: Intent, *, state: str = "PREPARED", fills: list[dict[str, Any]] | None = None, **values: Any
) -> Order:
    """An order for all of its intent, walked to `state`; `fills` (see `fill`) are told before it ends."""
    serial = number()
    payload = values.pop(
        "payload", f'{{"order":{{"salt":{serial},"signature":"0xsecret"}},"owner":"api-key-secret"}}'.encode()
    )
    row = Order.objects.create(
        **{
            "intent": for_intent,
            "generation": for_intent.orders.count(),
            "venue_id": for_intent.venue_id,
            "instrument_id": for_intent.instrument_id,
            "client_order_id": f"0x{serial:064x}",
            "salt": serial,
            "payload": payload,
            "payload_sha": hashlib.sha256(payload).digest(),
            "side": for_intent.side,
            "time_in_force": "FAK",
            "size": for_intent.size,
            "notional_usd": for_intent.notional_usd,
            "price_limit": for_intent.price_limit,
            "fee_usd_max": Decimal(4) if for_intent.side == "BUY" else Decimal(0),
            "spends_budget": for_intent.side == "BUY",
            "is_reducing": for_intent.purpose == Intent.Purpose.CLOSE,
            "resend_allowed": True,
            "next_check_at": NOW,
            **values,
        }
    )
    for word in _WALKS[state]:
        if word == _WALKS[state][-1]:
            for told in fills or []:
                fill(row, **told)
        order_move(row, word)
    return row


def order_move(row: Order, to: str) -> None:
    """One legal move, with the attempt row or the proofs that it needs."""
    row.refresh_from_db()
    row.state = to
    if to == "SENDING":
        row.attempts += 1
        row.sent_at = NOW
    if to == "ACKED":
        row.acked_at = NOW
        row.venue_order_id = row.client_order_id
    if to == "NOT_PLACED":
        row.absent_proofs = 2
    if to in {"UNKNOWN", "MANUAL"}:
        row.reason = "read timed out after the request was sent"
    with transaction.atomic():
        row.save()
        if to == "SENDING":
            attempt(row)
    row.refresh_from_db()


def attempt(of: Order, **values: Any) -> OrderAttempt:
    """The record of the send that has just been counted on `of`."""
    of.refresh_from_db()
    return OrderAttempt.objects.create(
        **{
            "order": of,
            "attempt_no": of.attempts,
            "payload_sha": bytes(of.payload_sha),
            "worker": "host:1",
            "started_at": NOW,
            **values,
        }
    )


def fill(
    of: Order,
    *,
    size: str = "1000",
    price: str = "0.08",
    fee_usd: str = "3.68",
    settlement: str = "confirmed",
    **values: Any,
) -> Fill:
    """One trade of `of`; a confirmed one moves the position as a buyer's or seller's would."""
    notional = Decimal(size) * Decimal(price)
    row = Fill.objects.create(
        order=of,
        venue_id=of.venue_id,
        instrument_id=of.instrument_id,
        side=of.side,
        venue_trade_id=values.pop("venue_trade_id", f"trade-{number()}"),
        size=Decimal(size),
        price=Decimal(price),
        notional_usd=notional,
        fee_usd=Decimal(fee_usd),
        settlement=settlement,
        matched_at=values.pop("matched_at", NOW),
        settled_at=NOW if settlement in {"confirmed", "failed"} else None,
        **values,
    )
    if settlement == "confirmed":
        _book(row)
    return row


def _book(row: Fill) -> None:
    position, _ = Position.objects.get_or_create(
        instrument_id=row.instrument_id,
        defaults={"venue_id": row.venue_id, "opened_at": row.matched_at, "updated_at": row.matched_at},
    )
    position.fees_usd += row.fee_usd
    if row.side == "BUY":
        position.size += row.size
        position.cost_usd += row.notional_usd + row.fee_usd
    else:
        cost = (position.cost_usd * row.size / position.size).quantize(Decimal("0.000001"))
        position.realised_pnl_usd += row.notional_usd - row.fee_usd - cost
        position.cost_usd -= cost
        position.size -= row.size
    position.save()


def hedge_position(
    of: Fill, to: Policy, *, size: str = "1000", hedge_amount_usd: str = "83.68", **values: Any
) -> HedgePosition:
    """The slice of a confirmed purchase that belongs to one policy; what is left of the purchase has no owner."""
    # What an attribution gives is compared with what it took when it is committed.
    with transaction.atomic():
        given = attribution(of, size=size, cost_usd=hedge_amount_usd, slices_count=1)
        row = HedgePosition.objects.create(
            policy=to,
            product_id=to.product_id,
            venue_id=of.venue_id,
            instrument_id=of.instrument_id,
            attribution=given,
            size=Decimal(size),
            hedge_amount_usd=Decimal(hedge_amount_usd),
            entry_price=of.price,
            **{"entry_time": of.matched_at, "created_at": NOW, **values},
        )
        shares_add([_share(row, row.size, row.hedge_amount_usd, opened=1)])
    return row


def attribution(of: Fill, *, size: str, cost_usd: str, slices_count: int) -> Attribution:
    """The division of one confirmed purchase; the caller makes its slices."""
    row = Attribution.objects.create(
        venue_id=of.venue_id,
        instrument_id=of.instrument_id,
        order_id=of.order_id,
        fills_count=1,
        slices_count=slices_count,
        size=Decimal(size),
        cost_usd=Decimal(cost_usd),
        ownerless_size=of.size - Decimal(size),
        entry_price=of.price,
        entry_time=of.matched_at,
        made_at=NOW,
    )
    Fill.objects.filter(pk=of.pk).update(attribution=row)
    of.attribution = row
    return row


def _share(
    row: HedgePosition, size: Decimal, cost_usd: Decimal, *, opened: int = 0, closed: int = 0
) -> ShareChange:
    return ShareChange(
        instrument_id=row.instrument_id,
        product_id=row.product_id,
        size=size,
        cost_usd=cost_usd,
        opened=opened,
        closed=closed,
    )


def closed(row: HedgePosition, *, proceeds_usd: str, now: datetime = NOW) -> HedgePosition:
    """Sell the whole slice."""
    shares_take([_share(row, -row.size, -row.hedge_amount_usd, closed=1)])
    row.closed_size = row.size
    row.proceeds_usd = Decimal(proceeds_usd)
    row.realised_pnl_usd = row.proceeds_usd - row.hedge_amount_usd
    row.status = HedgePosition.Status.CLOSED
    row.close_time = now
    row.save()
    return row


def hedge(to: Policy, on: Instrument, **values: Any) -> HedgePosition:
    """The whole way for one policy: intent, order, a confirmed fill of 1,000 at $0.08, and the policy's slice."""
    wanted = intent(on, demand={to.product_id: "1000"}, **values)
    sent = order(wanted, state="FILLED", fills=[{}])
    wanted.state, wanted.finished_at, wanted.outcome = Intent.State.DONE, NOW, "complete"
    wanted.save()
    return hedge_position(sent.fills.get(), to)


# ------------------------------------------------------------------------------------------------ safety
def config(key: str, value: Any, *, changed_by: str = "risk.officer") -> HedgeConfigEntry:
    """A setting, as if it had been set through the service."""
    row, _ = HedgeConfigEntry.objects.update_or_create(
        key=key, defaults={"value": value, "changed_by": changed_by, "reason": "test", "changed_at": NOW}
    )
    return row


def breaker(scope: str = "global", **values: Any) -> Breaker:
    """A breaker; closed unless `state` says otherwise."""
    row, _ = Breaker.objects.update_or_create(scope=scope, defaults=values)
    return row


def risk_bucket(code: str = "global", cap_usd: str = "1000000") -> RiskBucket:
    """A cap."""
    row, _ = RiskBucket.objects.update_or_create(code=code, defaults={"cap_usd": Decimal(cap_usd)})
    return row


def discrepancy(at: Venue | None = None, **values: Any) -> Discrepancy:
    """An open disagreement over a position."""
    return Discrepancy.objects.create(
        **{
            "venue": at or venue(),
            "kind": "POSITION_SIZE",
            "subject": f"token-{number()}",
            "expected": "1000",
            "actual": "990",
            "first_seen_at": NOW - timedelta(hours=1),
            "last_seen_at": NOW,
            **values,
        }
    )


def reconciliation_run(at: Venue | None = None, **values: Any) -> ReconciliationRun:
    """A finished comparison."""
    return ReconciliationRun.objects.create(
        **{
            "venue": at or venue(),
            "started_at": NOW,
            "finished_at": NOW + timedelta(seconds=1),
            "orders_compared": 3,
            "fills_compared": 2,
            "positions_compared": 1,
            **values,
        }
    )
