"""Runs of the doctor that a person asked for on the page Health. `manage.py doctor` itself leaves no trace."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.kernel.findings import Level
from tonsurance.plumbing.words import choices, words


class Checkup(models.Model):
    """One run and all it found; the oldest are dropped (tonsurance/plumbing/checkups.py)."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    is_quick = models.BooleanField(help_text="No venue was asked.")
    asked_by = models.CharField(max_length=150)
    level = models.CharField(max_length=10, choices=choices(Level))
    faults_count = models.PositiveIntegerField()
    warnings_count = models.PositiveIntegerField()
    found = models.JSONField(help_text="The run as `manage.py doctor --json` prints it.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(level__in=words(Level)), name="checkup_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}: {self.level}"
