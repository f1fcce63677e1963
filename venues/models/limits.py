"""What a venue said of how often it may be asked; the tokens themselves are in the shared rate buckets."""

from __future__ import annotations

from django.db import models


class VenueLimit(models.Model):
    """One limit that the venue reports on. `tier` is its word for our class, which sets the limit's size."""

    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="limits")
    bucket = models.CharField(max_length=40)
    tier = models.CharField(max_length=40, blank=True, default="")
    noted_at = models.DateTimeField(help_text="When the venue named this tier first.")
    warned_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last said that it would have refused us."
    )

    class Meta:
        ordering = ["venue", "bucket"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "bucket"], name="venuelimit_one_per_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.venue_id} {self.bucket}: {self.tier or 'no tier'}"
