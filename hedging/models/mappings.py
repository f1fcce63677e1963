"""Which instrument offsets which product, on what event it pays, and who agreed to that."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tonsurance.plumbing.columns import RatioField


class Mapping(models.Model):
    """One product hedged by one instrument.

    `basis_probability` is the chance that the instrument pays given that the policy pays: 1 for the same event, less
    for a proxy. Nothing is traded through a mapping that is not approved, or whose market's wording changed since.
    """

    class Grade(models.TextChoices):
        DIRECT = "direct", "Direct: pays on the insured event"
        PROXY = "proxy", "Proxy: pays on a related event"
        NONE = "none", "None: not a hedge"

    product = models.ForeignKey("policies.Product", on_delete=models.PROTECT, related_name="mappings")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="mappings")
    internal_event_id = models.CharField(
        max_length=120,
        blank=True,
        default="",
        help_text="The sister platform's name of the event, where it has one.",
    )
    grade = models.CharField(max_length=10, choices=Grade.choices)
    basis_probability = RatioField(
        default=1, help_text="Chance that the instrument pays given that the policy pays; 1 = the same event."
    )
    pays_on = models.TextField(
        blank=True, default="", help_text="The event that the instrument pays on, in one sentence."
    )
    is_active = models.BooleanField(default=True)
    approved_by = models.CharField(max_length=150, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_wording_hash = models.CharField(max_length=64, blank=True, default="")
    suspended_reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["product", "instrument"]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "instrument"], name="mapping_one_per_product_and_instrument"
            ),
            models.CheckConstraint(
                condition=Q(basis_probability__gte=0) & Q(basis_probability__lte=1),
                name="mapping_basis_is_a_probability",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | ~Q(approved_by=""), name="mapping_approval_has_a_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} → {self.instrument}"
