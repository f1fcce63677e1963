"""What we want: one row per decision, alive until its orders are dead and counted."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from tonsurance.kernel.ids import time_ordered_uuid
from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField


class Intent(models.Model):
    """One decision to trade one instrument.

    `decision_key` is unique, so that a decision made twice is one intent. `leg` names the lane: at most one live intent
    per venue, instrument and leg. A BUY may spend `notional_usd` before fees; a SELL may deliver `size`. A redemption
    is
    a SELL to the chain at the payout of a resolved market, `price_limit`, which may be zero.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", "Open"
        DONE = "DONE", "Done"
        ABANDONED = "ABANDONED", "Abandoned"
        PARKED = "PARKED", "Parked: needs a person"

    class Purpose(models.TextChoices):
        OPEN = "open", "Open a hedge"
        CLOSE = "close", "Close a hedge"
        REDEEM = "redeem", "Redeem at the payout"

    id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(
        primary_key=True, default=time_ordered_uuid, editable=False
    )
    decision_key = models.CharField(max_length=250)
    cycle = models.ForeignKey("hedging.Cycle", null=True, on_delete=models.PROTECT, related_name="intents")
    target = models.ForeignKey(
        "hedging.CycleTarget", null=True, on_delete=models.PROTECT, related_name="intents"
    )
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="intents")
    policy = models.ForeignKey(
        "policies.Policy",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Set when the decision was made for one policy alone: its fills belong to that policy.",
    )
    leg = models.CharField(max_length=40, default="main")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    side = models.CharField(max_length=4)
    time_in_force = models.CharField(max_length=4, default="FAK")
    size = SizeField()
    notional_usd = MoneyField()
    price_limit = PriceField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(
        max_length=300, blank=True, default="", help_text="How it ended, in a sentence."
    )
    dispatch_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    rest_until = models.DateTimeField(
        null=True, blank=True, help_text="A resting order of it ends by itself at this moment."
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["decision_key"], name="intent_one_per_decision"),
            models.UniqueConstraint(
                fields=["venue", "instrument", "leg"],
                condition=Q(state__in=["OPEN", "PARKED"]),
                name="intent_one_live_per_lane",
            ),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="intent_side_known"),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "DONE", "ABANDONED", "PARKED"]), name="intent_state_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="intent_size_positive"),
            models.CheckConstraint(
                condition=Q(notional_usd__gt=0) | Q(notional_usd=0, purpose="redeem"),
                name="intent_notional_positive",
            ),
            models.CheckConstraint(
                condition=Q(price_limit__gt=0) | Q(price_limit=0, purpose="redeem"),
                name="intent_price_positive",
            ),
            models.CheckConstraint(
                condition=Q(purpose="redeem", side="SELL", time_in_force="TX", price_limit__lte=1)
                | (~Q(purpose="redeem") & ~Q(time_in_force="TX")),
                name="intent_redeems_by_transaction",
            ),
            models.CheckConstraint(
                condition=Q(time_in_force="GTD", rest_until__isnull=False)
                | (~Q(time_in_force="GTD") & Q(rest_until__isnull=True)),
                name="intent_resting_ends",
            ),
            models.CheckConstraint(
                condition=~Q(state="OPEN") | Q(dispatch_count__lte=1000), name="intent_dispatch_bounded"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "PARKED"], finished_at__isnull=True)
                | Q(state__in=["DONE", "ABANDONED"], finished_at__isnull=False),
                name="intent_finished_when_dead",
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="OPEN"), name="intent_due"),
            models.Index(fields=["cycle"], name="intent_by_cycle"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.size.normalize():f} of {self.instrument}"


class IntentDemand(models.Model):
    """How much of an opening intent each product asked for: the weights by which its fills are attributed."""

    id = models.BigAutoField(primary_key=True)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, related_name="demands")
    product = models.ForeignKey("policies.Product", on_delete=models.PROTECT, related_name="+")
    weight_usd = MoneyField(help_text="Payout wanted for this product, US dollars.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intent", "product"], name="intentdemand_one_per_product"),
            models.CheckConstraint(condition=Q(weight_usd__gt=0), name="intentdemand_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.weight_usd} for product {self.product_id}"


class IntentSlice(models.Model):
    """Which hedge positions a closing intent sells, and how much of each.

    What the intent has closed of one is the position's `closed_size` less `closed_before`: nobody else sells of it
    while the intent's trades are not final.
    """

    id = models.BigAutoField(primary_key=True)
    intent = models.ForeignKey(Intent, on_delete=models.PROTECT, related_name="slices")
    hedge_position = models.ForeignKey(
        "hedging.HedgePosition", on_delete=models.PROTECT, related_name="slices"
    )
    size = SizeField()
    closed_before = SizeField(default=0, help_text="Units of it that were closed when the sale was decided.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intent", "hedge_position"], name="intentslice_one_per_position"),
            models.CheckConstraint(condition=Q(size__gt=0), name="intentslice_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.size} of hedge position {self.hedge_position_id}"
