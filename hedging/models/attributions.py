"""The slice of a position that belongs to one policy."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField


class HedgePosition(models.Model):
    """One policy's part of one confirmed fill; sold by closing orders when the policy ends.

    The slices of a fill add up to the fill, to the micro-unit, in size and in cost.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey(
        "policies.Policy", on_delete=models.PROTECT, related_name="hedge_positions", db_index=False
    )
    product = models.ForeignKey(
        "policies.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+", db_index=False)
    instrument = models.ForeignKey(
        "venues.Instrument", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    fill = models.ForeignKey(
        "hedging.Fill", on_delete=models.PROTECT, related_name="hedge_positions", db_index=False
    )
    size = SizeField()
    hedge_amount_usd = MoneyField(help_text="Paid for this slice, fees included.")
    entry_price = PriceField(help_text="Price per unit without fees.")
    entry_time = models.DateTimeField()
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    closed_size = SizeField(default=0)
    released_size = SizeField(
        default=0, help_text="Part of the closed units that was too small to sell: the house keeps it."
    )
    proceeds_usd = MoneyField(default=0, help_text="Received for the closed part, after fees.")
    realised_pnl_usd = MoneyField(null=True, blank=True)
    close_time = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["fill", "policy"], name="hedgeposition_one_per_fill_and_policy"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "closed"]), name="hedgeposition_status_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="hedgeposition_size_positive"),
            models.CheckConstraint(
                condition=Q(closed_size__gte=0, closed_size__lte=F("size")),
                name="hedgeposition_closed_within_size",
            ),
            models.CheckConstraint(
                condition=Q(released_size__gte=0, released_size__lte=F("closed_size")),
                name="hedgeposition_released_within_closed",
            ),
            models.CheckConstraint(
                condition=Q(status="open", close_time__isnull=True)
                | Q(status="closed", closed_size=F("size")),
                name="hedgeposition_closed_when_all_sold",
            ),
        ]
        indexes = [
            models.Index(fields=["policy"], name="hedge_policy"),
            models.Index(fields=["status", "-id"], name="hedge_status"),
            models.Index(fields=["venue", "-id"], name="hedge_venue"),
            models.Index(fields=["instrument"], condition=Q(status="open"), name="hedge_open_by_instrument"),
        ]

    def __str__(self) -> str:
        return f"HP-{self.pk}"

    @property
    def position_id(self) -> str:
        """The founding document's TEXT key."""
        return f"HP-{self.pk}"
