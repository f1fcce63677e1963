"""How much of a rate limit is left, shared by every process and surviving a flushed Redis."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class RateBucket(models.Model):
    """A token bucket: `capacity` at most, `rate` per second, `tokens` left at `at` (the database's clock)."""

    name = models.CharField(primary_key=True, max_length=80)
    capacity = models.DecimalField(max_digits=18, decimal_places=6)
    rate = models.DecimalField(max_digits=18, decimal_places=6)
    tokens = models.DecimalField(max_digits=18, decimal_places=6)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(tokens__gte=0), name="rate_bucket_never_negative"),
            models.CheckConstraint(
                condition=Q(tokens__lte=F("capacity")), name="rate_bucket_never_over_capacity"
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_bucket_refills"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.tokens} of {self.capacity}"
