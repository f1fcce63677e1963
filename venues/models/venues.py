"""The places where we can trade, and what we had there when last asked."""

from __future__ import annotations

from django.db import models

from tonsurance.plumbing.columns import MoneyField


class Venue(models.Model):
    """One venue. `code` is the adapter's folder name; its part of every hedge is the setting `venueShares`."""

    class Kind(models.TextChoices):
        PREDICTION_MARKET = "prediction_market", "Prediction market"
        PERPETUALS = "perpetuals", "Perpetual futures"
        REINSURER = "reinsurer", "Parametric reinsurer"

    code = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on screens and in reports.")
    is_enabled = models.BooleanField(
        default=True, help_text="Off: no new intents for this venue; open orders live on."
    )
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text="Last answer of any kind.")
    last_error = models.TextField(blank=True, default="")
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name


class BalanceSnapshot(models.Model):
    """What the venue said our balance was. Appended; the newest per (venue, currency) is current."""

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="balances")
    currency = models.CharField(max_length=16)
    total = MoneyField()
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["-taken_at"]
        indexes = [models.Index(fields=["venue", "currency", "-taken_at"], name="balance_newest")]

    def __str__(self) -> str:
        return f"{self.total} {self.currency} at {self.venue_id}"
