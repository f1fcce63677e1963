"""What happened: trades of our orders, each with its settlement, which alone makes it a hedge."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField
from venues.domain.gateway import Settlement

_SETTLEMENTS = [state.value for state in Settlement]
PROVISIONAL = [Settlement.MATCHED.value, Settlement.MINED.value, Settlement.RETRYING.value]


class Fill(models.Model):
    """One trade of one order. Counted as held only when `settlement` is confirmed; a failed one never happened."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey("hedging.Order", on_delete=models.PROTECT, related_name="fills")
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="fills")
    venue_trade_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4)
    size = SizeField()
    price = PriceField()
    notional_usd = MoneyField()
    fee_usd = MoneyField(default=0)
    settlement = models.CharField(
        max_length=10, choices=[(s.value, s.value.capitalize()) for s in Settlement]
    )
    transaction_hash = models.CharField(max_length=80, blank=True, default="")
    matched_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    realised_pnl_usd = MoneyField(null=True, blank=True, help_text="Set when a confirmed sale is booked.")
    attribution = models.ForeignKey(
        "hedging.Attribution",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="fills",
        help_text="Set once, when a confirmed purchase has been divided among policies.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-matched_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "venue_trade_id", "order"], name="fill_one_per_venue_trade"
            ),
            models.CheckConstraint(condition=Q(settlement__in=_SETTLEMENTS), name="fill_settlement_known"),
            models.CheckConstraint(condition=Q(size__gt=0), name="fill_size_positive"),
            # Zero is what a losing share is redeemed for; the database lets no other trade have it (HB044).
            models.CheckConstraint(condition=Q(price__gte=0), name="fill_price_positive"),
            models.CheckConstraint(condition=Q(fee_usd__gte=0), name="fill_fee_not_negative"),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="fill_side_known"),
            models.CheckConstraint(
                condition=Q(attribution__isnull=True) | Q(side="BUY", settlement=Settlement.CONFIRMED.value),
                name="fill_attributed_when_bought",
            ),
        ]
        indexes = [
            models.Index(
                fields=["instrument"], condition=Q(settlement__in=PROVISIONAL), name="fill_provisional"
            ),
            models.Index(fields=["instrument", "settlement"], name="fill_by_instrument"),
            models.Index(
                fields=["instrument"],
                condition=Q(attribution__isnull=True, side="BUY", settlement=Settlement.CONFIRMED.value),
                name="fill_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.size.normalize():f} at {self.price.normalize():f}"


class FillEvent(models.Model):
    """Every change of a fill's settlement, written by the database itself. Append-only."""

    id = models.BigAutoField(primary_key=True)
    fill = models.ForeignKey(Fill, on_delete=models.PROTECT, related_name="events")
    old = models.CharField(max_length=10, null=True)
    new = models.CharField(max_length=10)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old or '–'} → {self.new}"
