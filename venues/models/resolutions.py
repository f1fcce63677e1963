"""How far each market's answer is, and every word that led to it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.columns import PriceField
from venues.domain.resolutions import ResolutionState

_STATES = [state.value for state in ResolutionState]
_CHOICES = [(state.value, state.value.capitalize()) for state in ResolutionState]


class Resolution(models.Model):
    """One outcome's answer. `payout`, USD per unit, is set once, when two of the venue's sources agree on it."""

    instrument = models.OneToOneField(
        "venues.Instrument", primary_key=True, on_delete=models.PROTECT, related_name="resolution"
    )
    state = models.CharField(max_length=10, choices=_CHOICES, default=ResolutionState.OPEN)
    payout = PriceField(null=True, blank=True, help_text="US dollars per unit; empty until it is final.")
    sentence = models.CharField(max_length=300, blank=True, default="")
    conflict = models.TextField(
        blank=True, default="", help_text="What the sources contradict each other on."
    )
    agreed_by = models.CharField(max_length=100, blank=True, default="")
    resolved_at = models.DateTimeField(null=True, blank=True, help_text="When we first heard it from two.")
    checked_at = models.DateTimeField(help_text="When the venue last answered.")

    class Meta:
        ordering = ["-checked_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=_STATES), name="resolution_state_known"),
            models.CheckConstraint(
                condition=Q(state="resolved", payout__isnull=False, resolved_at__isnull=False)
                | (~Q(state="resolved") & Q(payout__isnull=True, resolved_at__isnull=True)),
                name="resolution_paid_when_final",
            ),
            models.CheckConstraint(
                condition=Q(payout__isnull=True) | Q(payout__gte=0, payout__lte=1),
                name="resolution_payout_within_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.payout.normalize():f}" if self.payout is not None else self.state


class ResolutionWord(models.Model):
    """What one source said, each time it said something else. Append-only."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(
        "venues.Instrument", on_delete=models.PROTECT, related_name="resolution_words"
    )
    source = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=_CHOICES)
    payout = PriceField(null=True, blank=True)
    words = models.TextField(help_text="The venue's own.")
    heard_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=_STATES), name="resolutionword_state_known"),
        ]
        indexes = [models.Index(fields=["instrument", "source", "-id"], name="resolutionword_newest")]

    def __str__(self) -> str:
        return f"{self.source}: {self.words}"
