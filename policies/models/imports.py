"""The files that brought policies: who, when, what was in them, what became of it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class PolicyImport(models.Model):
    """One file. `content` is kept while a file uploaded in admin waits for its confirmation; policies name
    the import
    in their `source` as `import:<id>`.
    """

    class Status(models.TextChoices):
        PREVIEWED = "previewed", "previewed"
        IMPORTED = "imported", "imported"
        DISCARDED = "discarded", "discarded"

    id = models.BigAutoField(primary_key=True)
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    content = models.BinaryField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices)
    skip_bad = models.BooleanField(default=False)
    report: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="Counts and the first faulty rows."
    )
    actor = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="imported", imported_at__isnull=False)
                | (~Q(status="imported") & Q(imported_at__isnull=True)),
                name="policy_import_has_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}: {self.file_name}"
