"""Hedges of one policy at a time: the founding document's `execute_depeg_hedge` and `close_policy_hedges`.

Cycles bundle the demand of all policies; a person may still want to hedge one large sale at once, with the whole ratio
on the prediction market. It goes through the same intents, executor and attribution, only the slices belong to one
policy.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import sleep
from typing import TYPE_CHECKING

from django.db.models import Sum

from hedging.domain.config import HedgeSettings
from hedging.domain.sizing import SizingMode, Walk, size_demand, walk_asks
from hedging.models import Fill, HedgePosition, Intent, Mapping
from hedging.services.attributions import attributions_make
from hedging.services.config import config_read
from hedging.services.cycles import CycleResult, cycle_run
from hedging.services.executor import intent_place, sending_refusal
from hedging.services.intents import Decision, intent_open
from hedging.services.resolver import order_check
from hedging.services.settlements import settlements_watch
from policies.selectors.policies import policy_of
from tonsurance.kernel.clock import monotonic_s, utc_now
from tonsurance.kernel.errors import Conflict, Refused
from venues.domain.gateway import Side
from venues.registry import gateway_for
from venues.selectors.instruments import terms_of
from venues.services.books import book_fetch

if TYPE_CHECKING:
    from policies.models import Policy

VENUE = "polymarket"
WAIT_S = 60.0
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class DepegHedge:
    """What a single-policy hedge came to. Costs include fees; amounts are confirmed trades only."""

    policy_id: int
    shares_bought: Decimal
    avg_price: Decimal
    total_cost_usd: Decimal
    sentence: str


def execute_depeg_hedge(
    policy_id: int, *, hedge_ratio: Decimal | None = None, actor: str, now: datetime
) -> DepegHedge | None:
    """Hedge one policy on its depeg market now and wait until it has settled; None when there is no suitable market.

    `hedge_ratio` defaults to the product's. What the policy holds already counts: a repetition buys nothing more.
    Raises Refused for a policy that is not depeg cover in force, Conflict when an order for the market is at work.
    """
    policy = policy_of(policy_id)
    if policy.product.coverage_type != "depeg" or policy.status != "active":
        raise Refused("policy: give depeg cover that is in force", field="policy")
    mapping = _market_for(policy)
    if mapping is None:
        return None
    config = config_read()
    walk = _walk(policy, mapping, hedge_ratio or policy.product.hedge_ratio, config=config, now=now)
    if walk is None or walk.size <= 0:
        why = (
            "the policy holds its hedge already"
            if walk is None
            else f"nothing within the limits ({walk.stopped_by})"
        )
        return _nothing(policy_id, why)
    intent = intent_open(
        Decision(
            instrument=mapping.instrument,
            side=Side.BUY,
            size=walk.size,
            notional_usd=walk.notional_usd,
            price_limit=walk.price_worst,
            demands={policy.product_id: walk.size},
            policy_id=policy.pk,
        ),
        valid_for=timedelta(seconds=config.intent_valid_seconds),
        actor=actor,
        now=now,
    )
    if intent is None:
        raise Conflict("market: an order for it is at work; try again when it has settled", field="market")
    refusal = sending_refusal(intent)
    if refusal:
        return _result(policy_id, intent.pk, sentence=f"decided, not sent: {refusal}")
    _wait_until(lambda: _step(intent.pk))
    # Other policies' purchases on a large market may wait for their division; this person does not.
    attributions_make(VENUE, now=utc_now(), every_s=0, instrument_rows=[mapping.instrument_id])
    return _result(policy_id, intent.pk, sentence=Intent.objects.get(pk=intent.pk).outcome)


def _market_for(policy: Policy) -> Mapping | None:
    """The policy's own depeg market, where a person has approved it as it is worded now and it is open."""
    approved = Mapping.objects.filter(
        product=policy.product,
        state=Mapping.State.APPROVED,
        grade="direct",
        instrument__venue_id=VENUE,
    )
    mapping = approved.select_related("instrument").order_by("pk").first()
    if mapping is None or mapping.instrument.closed:
        return None
    return mapping if mapping.approved_wording_hash == mapping.instrument.wording_hash else None


def _nothing(policy_id: int, why: str) -> DepegHedge:
    zero = Decimal(0)
    return DepegHedge(
        policy_id=policy_id, shares_bought=zero, avg_price=zero, total_cost_usd=zero, sentence=why
    )


def close_policy_hedges(policy_id: int, *, actor: str, now: datetime) -> CycleResult | None:
    """Sell the hedges of a policy that has ended; None when nothing of it is open.

    An ended policy's slices are part of every cycle's reading, so this wakes a cycle, which sells them bundled with all
    else that is to be sold of their markets. Raises Refused while the policy is in force.
    """
    policy = policy_of(policy_id)
    if policy.status == "active":
        raise Refused("policy: it is in force; its hedges are sold when it ends", field="policy")
    if not HedgePosition.objects.filter(policy=policy, status=HedgePosition.Status.OPEN).exists():
        return None
    return cycle_run(cause=f"close {policy.external_id}", actor=actor)


def _walk(
    policy: Policy, mapping: Mapping, hedge_ratio: Decimal, *, config: HedgeSettings, now: datetime
) -> Walk | None:
    """What the book gives for the rest of the policy's hedge; None when nothing of it is wanted any more."""
    held = HedgePosition.objects.filter(policy=policy, status=HedgePosition.Status.OPEN).aggregate(
        size=Sum("size"), usd=Sum("hedge_amount_usd")
    )
    demand = size_demand(
        coverage_usd=policy.coverage_usd,
        hedge_ratio=hedge_ratio,
        mode=SizingMode(policy.product.sizing_mode),
        payout_cover_max=config.payout_cover_max,
    )
    size_left = demand.size_max - (held["size"] or 0)
    budget_left = None if demand.budget_usd is None else demand.budget_usd - (held["usd"] or 0)
    if size_left <= 0 or (budget_left is not None and budget_left <= 0):
        return None
    book = book_fetch(mapping.instrument, gateway=gateway_for(VENUE), now=now).book
    return walk_asks(
        book,
        budget_usd=budget_left,
        size_max=size_left,
        price_max=config.price_max,
        slippage_bps_max=config.slippage_bps_max,
        participation=config.depth_participation,
        terms=terms_of(mapping.instrument),
    )


def _step(intent_id: uuid.UUID) -> bool:
    """Take the intent a step further; True when it has ended and its trades are final."""
    placed = intent_place(intent_id, now=utc_now())
    if placed.order_id is not None:
        order_check(placed.order_id, now=utc_now())
    settlements_watch(VENUE, now=utc_now())
    unsettled = Fill.objects.filter(order__intent_id=intent_id).exclude(
        settlement__in=["confirmed", "failed"]
    )
    ended = not Intent.objects.filter(pk=intent_id, state=Intent.State.OPEN).exists()
    return ended and not unsettled.exists()


def _wait_until(done: Callable[[], bool]) -> None:
    """Repeat for at most a minute; what is unfinished then is finished by the engine."""
    deadline = monotonic_s() + WAIT_S
    while not done() and monotonic_s() < deadline:
        sleep(_POLL_S)


def _result(policy_id: int, intent_id: uuid.UUID, *, sentence: str) -> DepegHedge:
    sums = Fill.objects.filter(order__intent_id=intent_id, settlement="confirmed").aggregate(
        size=Sum("size"), usd=Sum("notional_usd"), fee=Sum("fee_usd")
    )
    size, usd, fee = (sums[name] or Decimal(0) for name in ("size", "usd", "fee"))
    return DepegHedge(
        policy_id=policy_id,
        shares_bought=size,
        avg_price=usd / size if size else Decimal(0),
        total_cost_usd=usd + fee,
        sentence=sentence,
    )
