"""What may happen once only: an API call with a key, a beat slot."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ApiIdempotency(models.Model):
    """The answer given to (client, Idempotency-Key).

    The row is written in the transaction of the effect, so it exists if and only if the effect does; a
    refused call leaves none and may be repeated with the same key.
    """

    pk = models.CompositePrimaryKey("client_id", "key")
    client_id = models.CharField(max_length=150)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=400)
    request_sha = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=400, blank=True, default="")
    response = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "idempotent answer"
        constraints = [
            models.CheckConstraint(
                condition=Q(key__regex=r"^[!-~]{16,255}$"), name="api_idempotency_key_well_formed"
            ),
            models.CheckConstraint(
                condition=Q(status__gte=200) & Q(status__lte=299), name="api_idempotency_only_effects"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="api_idempotency_age")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.key}"


class JobSlot(models.Model):
    """One run of one job in one stretch of time; whoever inserts the row runs the job."""

    pk = models.CompositePrimaryKey("job", "slot")
    job = models.CharField(max_length=80)
    slot = models.DateTimeField()
    claimed_by = models.CharField(max_length=120)
    claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%Y-%m-%d %H:%M:%S}"
