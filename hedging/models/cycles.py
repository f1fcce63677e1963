"""Runs of the orchestrator: what it saw, what it decided for each product and market, and why."""

from __future__ import annotations

from django.db import models

from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField


class Cycle(models.Model):
    """One run: one reading, one plan, one write. Appended, never rewritten after it is finished."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Mode(models.TextChoices):
        SEND = "send", "Sends orders"
        RECORD = "record", "Records only (trading is off)"
        DRY_RUN = "dry_run", "Dry run"

    id = models.BigAutoField(primary_key=True)
    cause = models.CharField(
        max_length=40, help_text="What woke it: beat, sale, expiry, claim, price, operator …"
    )
    cause_detail = models.CharField(
        max_length=300,
        blank=True,
        default="",
        help_text="The same in a sentence, where a word is too little.",
    )
    mode = models.CharField(max_length=10, choices=Mode.choices)
    environment = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    as_of = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    policies_count = models.PositiveIntegerField(default=0)
    products_count = models.PositiveIntegerField(default=0, help_text="Products with exposure.")
    products_hedged_count = models.PositiveIntegerField(default=0)
    coverage_usd = MoneyField(default=0)
    required_usd = MoneyField(default=0, help_text="Sum of hedge ratio times coverage.")
    planned_usd = MoneyField(default=0, help_text="To be spent by this cycle's intents, fees included.")
    planned_payout_usd = MoneyField(default=0)
    intents_count = models.PositiveIntegerField(default=0)
    held_back = models.JSONField(
        default=list, help_text="Units that should be sold and cannot be sold now, with reasons."
    )
    config = models.JSONField(default=dict, help_text="The settings that this run used.")
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            # The running row is the lock: a second cycle cannot begin, whoever rings.
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="cycle_one_running"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="cycle_by_state")]

    def __str__(self) -> str:
        return f"Cycle {self.pk}"


class CycleTarget(models.Model):
    """What one cycle wanted on one instrument, all demand bundled, and the book it rested on."""

    id = models.BigAutoField(primary_key=True)
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="targets")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="+")
    book = models.ForeignKey("venues.BookSnapshot", null=True, on_delete=models.PROTECT, related_name="+")
    leg = models.CharField(max_length=40, default="main", help_text="The lane: main takes, resting rests.")
    side = models.CharField(max_length=4)
    size = SizeField()
    notional_usd = MoneyField()
    fee_usd = MoneyField(default=0)
    price_limit = PriceField()
    price_average = PriceField()
    held = models.JSONField(default=dict, help_text="Confirmed, pending and in flight when decided.")
    reason = models.CharField(max_length=40)
    sentence = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["cycle", "id"]

    def __str__(self) -> str:
        return f"{self.side} {self.size} of {self.instrument_id}"


class CycleLeg(models.Model):
    """What one cycle decided for one product on one venue, and the reason, in a word and in a sentence."""

    id = models.BigAutoField(primary_key=True)
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="legs")
    product = models.ForeignKey("policies.Product", on_delete=models.PROTECT, related_name="+")
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("venues.Instrument", null=True, on_delete=models.PROTECT, related_name="+")
    coverage_usd = MoneyField()
    required_usd = MoneyField(help_text="This venue's share of hedge ratio times coverage.")
    held_size = SizeField(default=0, help_text="Held, pending and in flight when decided.")
    held_payout_usd = MoneyField(
        default=0, help_text="Expected payoff of what is held, in the insured event."
    )
    planned_size = SizeField(default=0)
    planned_usd = MoneyField(default=0)
    planned_payout_usd = MoneyField(default=0)
    unfilled_usd = MoneyField(default=0, help_text="Part of the share that this cycle leaves unhedged.")
    outcome = models.CharField(max_length=20, help_text="hedged, partly hedged, unhedged, nothing to do")
    reason = models.CharField(max_length=40)
    sentence = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["cycle", "product", "venue"]
        indexes = [models.Index(fields=["cycle", "reason"], name="cycleleg_by_reason")]

    def __str__(self) -> str:
        return f"{self.product_id} on {self.venue_id}: {self.reason}"
