"""What can be traded, on the venue's own terms, which are read again and again and never assumed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.columns import MoneyField, PriceField, RatioField, SizeField


class Instrument(models.Model):
    """One tradable outcome, contract or layer of cover.

    `instrument_id` is the venue's name of what trades (Polymarket: outcome token id); `wording_hash` is SHA-256 of
    question and description, so that a rule rewritten after approval is noticed.
    """

    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="instruments")
    instrument_id = models.CharField(max_length=100)
    condition_id = models.CharField(max_length=80, blank=True, default="")
    market_id = models.CharField(max_length=80, blank=True, default="")
    slug = models.CharField(max_length=200, blank=True, default="")
    question = models.TextField(blank=True, default="")
    description = models.TextField(blank=True, default="")
    wording_hash = models.CharField(max_length=64, blank=True, default="")
    outcome = models.CharField(max_length=40, blank=True, default="")
    tick_size = PriceField()
    size_min = SizeField()
    notional_usd_min = MoneyField(default=0)
    fee_rate = RatioField(default=0)
    fee_exponent = models.PositiveSmallIntegerField(default=1)
    neg_risk = models.BooleanField(default=False)
    exchange_domain = models.CharField(max_length=4, blank=True, default="")
    accepting_orders = models.BooleanField(default=False)
    closed = models.BooleanField(default=False)
    end_at = models.DateTimeField(null=True, blank=True)
    resolution_status = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="The venue's word: how far the answer is; empty: not begun.",
    )
    refreshed_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["venue", "slug", "outcome"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "instrument_id"], name="instrument_one_per_venue_name"),
            models.CheckConstraint(condition=Q(tick_size__gt=0), name="instrument_tick_positive"),
            models.CheckConstraint(condition=Q(size_min__gte=0), name="instrument_size_min_not_negative"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.question or self.instrument_id} · {self.outcome}" if self.outcome else self.instrument_id
        )
