"""What trading may cost at most, and the switches that stop it. Enforced by triggers when an order is sent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from tonsurance.plumbing.columns import MoneyField


class RiskBucket(models.Model):
    """A hard cap on money at risk in one scope: `global`, or `venue:<code>`.

    What is at risk (worst case of live orders, provisional fills, cost of what is held) is summed by the database at
    the moment of sending, under this row's lock; nothing is kept here that could drift from the book.
    """

    code = models.CharField(max_length=120, primary_key=True)
    cap_usd = MoneyField()
    changed_by = models.CharField(max_length=150, default="system")
    reason = models.CharField(max_length=300, default="the founding document's split")
    changed_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(cap_usd__gte=0), name="riskbucket_cap_not_negative"),
        ]

    def __str__(self) -> str:
        return self.code


class Breaker(models.Model):
    """One switch. OPEN blocks what `effect` says at the moment of sending, in the database, for every process."""

    class State(models.TextChoices):
        CLOSED = "CLOSED", "Closed: trading allowed"
        OPEN = "OPEN", "Open: trading blocked"
        HALF_OPEN = "HALF_OPEN", "Half-open: probing"

    class Effect(models.TextChoices):
        HALT = "HALT", "Nothing is sent"
        REDUCE_ONLY = "REDUCE_ONLY", "Only orders that make positions smaller"
        POST_ONLY = "POST_ONLY", "Only orders that rest"

    class Pause(models.TextChoices):
        RESTART = "restart", "The venue's engine restarts"
        POST_ONLY = "post_only", "Only resting orders and cancels"
        CANCEL_ONLY = "cancel_only", "Only cancels"
        DISABLED = "disabled", "Trading is disabled"
        RATE_LIMIT = "rate_limit", "Too many requests"

    scope = models.CharField(max_length=120, primary_key=True, help_text="global, or venue:<code>")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CLOSED)
    effect = models.CharField(max_length=12, choices=Effect.choices, default=Effect.HALT)
    reason = models.CharField(max_length=300, blank=True, default="")
    opened_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.CharField(max_length=150, blank=True, default="")
    resume_at = models.DateTimeField(
        null=True, blank=True, help_text="A pause ends by itself at this moment."
    )
    pause = models.CharField(
        max_length=12,
        blank=True,
        default="",
        choices=Pause.choices,
        help_text="What the venue said it does meanwhile.",
    )
    probe_budget = models.PositiveIntegerField(default=0)
    latched = models.BooleanField(default=False, help_text="Only a person may close it.")
    epoch = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["scope"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["CLOSED", "OPEN", "HALF_OPEN"]), name="breaker_state_known"
            ),
            models.CheckConstraint(
                condition=Q(effect__in=["HALT", "REDUCE_ONLY", "POST_ONLY"]), name="breaker_effect_known"
            ),
            models.CheckConstraint(
                condition=Q(pause="")
                | Q(
                    pause__in=["restart", "post_only", "cancel_only", "disabled", "rate_limit"],
                    state="OPEN",
                    latched=False,
                    resume_at__isnull=False,
                ),
                name="breaker_pause_ends",
            ),
            models.CheckConstraint(
                condition=Q(state="CLOSED", opened_at__isnull=True)
                | Q(~Q(state="CLOSED"), opened_at__isnull=False),
                name="breaker_open_since",
            ),
            models.CheckConstraint(
                condition=Q(latched=False) | Q(state="OPEN"), name="breaker_latched_is_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}: {self.state}"


class BreakerEvent(models.Model):
    """Every change of a breaker, written by the database itself. Append-only."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=120)
    old = models.CharField(max_length=10, blank=True, default="")
    new = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True, default="")
    who = models.CharField(max_length=150, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.scope}: {self.old} → {self.new}"
