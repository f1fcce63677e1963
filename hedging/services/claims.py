"""Tells the claims department what the hedges of a paid claim brought, once the last of them is sold."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import structlog
from django.db.models import Exists, OuterRef, Sum

from hedging.models import Fill, HedgePosition
from hedging.models.fills import PROVISIONAL
from policies.selectors.claims import claims_awaiting_hedges
from policies.services.claims import claim_note_hedges_closed
from venues.domain.gateway import Settlement

log = structlog.get_logger(__name__)

BATCH = 500
ACTOR = "hedging"


def claims_note_closed(*, now: datetime) -> int:
    """Note the recovery of every paid claim whose policy has no open slice any more and none to come; return how many.

    The recovery is what the policy's slices brought in since the insured event, after fees: money, not profit. A market
    may resolve, and be redeemed, before the claim is paid.
    """
    still_open = HedgePosition.objects.filter(
        policy_id=OuterRef("policy_id"), status=HedgePosition.Status.OPEN
    )
    noted = 0
    # What was bought for its product while it was in force, and no policy owns yet, may be partly its own.
    not_divided = Fill.objects.filter(
        attribution__isnull=True,
        side="BUY",
        settlement__in=[Settlement.CONFIRMED, *PROVISIONAL],
        matched_at__lte=OuterRef("policy__ended_at"),
        order__intent__demands__product_id=OuterRef("policy__product_id"),
    )
    for claim in claims_awaiting_hedges().filter(~Exists(still_open), ~Exists(not_divided))[:BATCH]:
        proceeds = HedgePosition.objects.filter(
            policy_id=claim.policy_id, close_time__gte=claim.event_at
        ).aggregate(usd=Sum("proceeds_usd"))["usd"] or Decimal(0)
        claim_note_hedges_closed(claim.pk, recovery_usd=proceeds, actor=ACTOR, now=now)
        log.info("hedges of a claim closed", claim=claim.pk, recovery_usd=str(proceeds))
        noted += 1
    return noted
