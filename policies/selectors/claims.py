"""Claims as other departments need them."""

from __future__ import annotations

from django.db.models import QuerySet

from policies.domain.claims import ClaimStatus
from policies.models import Claim


def claims_awaiting_hedges() -> QuerySet[Claim]:
    """Paid claims whose hedges are not known to be closed, oldest first."""
    return Claim.objects.filter(status=ClaimStatus.PAID, hedges_closed_at__isnull=True).order_by("pk")
