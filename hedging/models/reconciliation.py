"""Comparisons of our rows with the venue's reports, and what did not agree."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ReconciliationRun(models.Model):
    """One comparison of orders, fills, positions and balance at one venue."""

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    orders_compared = models.PositiveIntegerField(default=0)
    fills_compared = models.PositiveIntegerField(default=0)
    positions_compared = models.PositiveIntegerField(default=0)
    differences = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.venue_id} at {self.started_at:%Y-%m-%d %H:%M:%S}"


class Discrepancy(models.Model):
    """Our row and a report disagree. One open row per kind and subject; closed when a later run finds them equal."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        HEALED = "healed", "Healed"
        ACCEPTED = "accepted", "Accepted by a person"

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=120)
    expected = models.TextField(blank=True, default="", help_text="What our rows say.")
    actual = models.TextField(blank=True, default="", help_text="What the venue says.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)
    closed_by = models.CharField(max_length=150, blank=True, default="")
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "kind", "subject"],
                condition=Q(state="open"),
                name="discrepancy_one_open_per_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
