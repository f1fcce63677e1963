"""Exposure as it is kept: one row per product, plus the deltas that were not yet folded into it.

Writers only append deltas, so sales of one hot product never wait for each other. The exposure of a product
is its row plus its deltas, read in one statement (selectors/exposure.py).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from policies.domain.catalogue import PRODUCT_COUNT
from tonsurance.plumbing.columns import MoneyField


class Exposure(models.Model):
    """What was folded so far of one product: US dollars in force and number of policies."""

    product = models.OneToOneField(
        "policies.Product", on_delete=models.PROTECT, primary_key=True, related_name="exposure"
    )
    coverage_usd = MoneyField(default=0)
    policies_count = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "exposure"
        ordering = ["product"]
        constraints = [
            models.CheckConstraint(
                condition=Q(coverage_usd__gte=0) & Q(policies_count__gte=0), name="exposure_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(coverage_usd=0, policies_count=0) | Q(coverage_usd__gt=0, policies_count__gt=0),
                name="exposure_zero_together",
            ),
        ]

    def __str__(self) -> str:
        return f"product {self.product_id}: {self.coverage_usd}"


class ExposureDelta(models.Model):
    """A change of exposure, written in the transaction of the policy's change: plus when cover begins, minus
    at its end.

    No foreign key in the database: the products are fixed, and a range check is enough.
    """

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(
        "policies.Product",
        on_delete=models.DO_NOTHING,
        related_name="exposure_deltas",
        db_constraint=False,
        db_index=False,
    )
    coverage_usd = MoneyField()
    policies_count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(product_id__gte=0, product_id__lt=PRODUCT_COUNT),
                name="exposure_delta_product_in_catalogue",
            ),
            models.CheckConstraint(
                condition=Q(coverage_usd__gt=0, policies_count__gt=0)
                | Q(coverage_usd__lt=0, policies_count__lt=0),
                name="exposure_delta_one_direction",
            ),
        ]

    def __str__(self) -> str:
        return f"product {self.product_id}: {self.coverage_usd:+}"
