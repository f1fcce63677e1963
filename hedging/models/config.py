"""What the operators set at run time, one row per key, every version kept."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords


class HedgeConfigEntry(models.Model):
    """One setting that differs from its default; types, ranges and defaults are in `hedging.domain.config`."""

    key = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()
    changed_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    changed_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["key"]
        verbose_name = "configuration entry"
        verbose_name_plural = "configuration"
        constraints = [
            models.CheckConstraint(condition=~models.Q(changed_by=""), name="config_change_has_an_actor"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="config_change_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"
