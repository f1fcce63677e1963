"""The contracts that a venue's orders are signed for; when the venue moves, a person adds a row."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.words import choices
from venues.domain.exchanges import PositionIds


class ExchangeContract(models.Model):
    """One signing domain (EIP-712) of a venue on one chain: its name, version and contract, and the markets it is for.

    `neg_risk` empty: for both kinds of market. `market_version` is the venue's word for the protocol of its markets.
    Of several active rows for the same markets the one that became valid last counts. Rows are never changed: one is
    added, another retired, each by a person with a reason; a retired row still names the orders once signed for it.
    """

    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="contracts")
    chain_id = models.PositiveIntegerField(help_text="137 is Polygon, 31337 a practice exchange.")
    domain_name = models.CharField(max_length=80)
    domain_version = models.CharField(max_length=4)
    neg_risk = models.BooleanField(
        null=True, blank=True, help_text="Winner-takes-all groups; empty: both kinds."
    )
    contract = models.CharField(max_length=42)
    position_ids = models.CharField(max_length=16, choices=choices(PositionIds))
    market_version = models.CharField(
        max_length=8, help_text="How the venue calls the protocol of these markets."
    )
    valid_from = models.DateTimeField()
    is_active = models.BooleanField(default=True)
    added_by = models.CharField(max_length=150)
    added_because = models.CharField(max_length=300)
    added_at = models.DateTimeField()
    retired_by = models.CharField(max_length=150, blank=True, default="")
    retired_because = models.CharField(max_length=300, blank=True, default="")
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["venue", "chain_id", "domain_version", "neg_risk", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "chain_id", "domain_version", "neg_risk", "valid_from"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="exchangecontract_one_per_market_and_moment",
            ),
            models.CheckConstraint(
                condition=Q(contract__regex=r"^0x[0-9a-fA-F]{40}$"), name="exchangecontract_is_an_address"
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, retired_at__isnull=True, retired_by="", retired_because="")
                | (Q(is_active=False, retired_at__isnull=False) & ~Q(retired_by="") & ~Q(retired_because="")),
                name="exchangecontract_retired_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(position_ids__in=[word.value for word in PositionIds]),
                name="exchangecontract_position_ids_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.domain_version} {self.contract}"
