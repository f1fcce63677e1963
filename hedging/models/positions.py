"""What confirmed fills add up to, one row per instrument."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.columns import MoneyField, SizeField


class Position(models.Model):
    """Units held and what they cost, fees included. Equal to the sum of confirmed fills (`manage.py verify`)."""

    instrument = models.OneToOneField(
        "venues.Instrument", primary_key=True, on_delete=models.PROTECT, related_name="position"
    )
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    size = SizeField(default=0)
    cost_usd = MoneyField(default=0, help_text="Paid for the units still held, fees included.")
    fees_usd = MoneyField(default=0, help_text="All fees ever paid on this instrument.")
    realised_pnl_usd = MoneyField(default=0)
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["venue", "instrument"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=0), name="position_not_short"),
            models.CheckConstraint(condition=Q(cost_usd__gte=0), name="position_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.size.normalize():f} of {self.instrument}"
