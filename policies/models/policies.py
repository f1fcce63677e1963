"""The promises themselves, and every step of their lives as appended events.

Migration 0002 adds what Django cannot say: no delete, no change of terms, no change of events.
"""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from policies.domain.catalogue import PRODUCT_COUNT, PRODUCTS_PER_COVERAGE
from policies.domain.coverage import OVER, EventKind, PolicyStatus, SaleTerms
from tonsurance.plumbing.columns import MoneyField, PriceField
from tonsurance.plumbing.words import choices, words


class Policy(models.Model):
    """One policy. Its terms never change; `status` and `ended_at` move as domain/coverage.py allows.

    `external_id` is the seller's name of the sale and makes it idempotent. Cover runs from `starts_at` up to,
    not including, `expires_at`. A depeg policy (products 0..111) pays when the coin trades below
    `trigger_price` US dollars for `trigger_window_s` seconds.
    """

    id = models.BigAutoField(primary_key=True)
    # Bytewise collation and a plain unique index: Django's `unique=True` would add a second one for LIKE.
    external_id = models.CharField(max_length=64, db_collation="C")
    holder = models.CharField(max_length=128)
    # The 560 products are never deleted, so a range check says what a foreign key would, without the row lock
    # that every sale of a hot product would take on it and without a look-up per imported row.
    product = models.ForeignKey(
        "policies.Product",
        on_delete=models.PROTECT,
        related_name="policies",
        db_index=False,
        db_constraint=False,
    )
    coverage_usd = MoneyField()
    premium_usd = MoneyField()
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    trigger_price = PriceField(null=True, blank=True)
    trigger_window_s = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=choices(PolicyStatus))
    ended_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(
        max_length=80, help_text="The door it came through: api:<client>, import:<number>, …"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "policies"
        permissions = [("cancel_policy", "Can cancel a policy"), ("import_policy", "Can import policies")]
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["product", "id"], name="policy_by_product"),
            # Rows leave these two when they are over, so the beat looks at what is due and at nothing else.
            models.Index(
                fields=["expires_at"],
                name="policy_active_by_expiry",
                condition=Q(status=PolicyStatus.ACTIVE.value),
            ),
            models.Index(
                fields=["status", "id"],
                name="policy_not_active",
                condition=~Q(status=PolicyStatus.ACTIVE.value),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="policy_one_per_external_id"),
            models.CheckConstraint(
                condition=Q(product_id__gte=0, product_id__lt=PRODUCT_COUNT),
                name="policy_product_in_catalogue",
            ),
            models.CheckConstraint(condition=~Q(external_id="") & ~Q(holder=""), name="policy_is_named"),
            models.CheckConstraint(condition=Q(coverage_usd__gt=0), name="policy_coverage_positive"),
            models.CheckConstraint(
                condition=Q(premium_usd__gte=0) & Q(premium_usd__lt=F("coverage_usd")),
                name="policy_premium_below_coverage",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("starts_at")), name="policy_expires_after_start"
            ),
            models.CheckConstraint(condition=Q(status__in=words(PolicyStatus)), name="policy_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=words(OVER), ended_at__isnull=False)
                | (~Q(status__in=words(OVER)) & Q(ended_at__isnull=True)),
                name="policy_over_has_end",
            ),
            models.CheckConstraint(
                condition=Q(
                    product_id__lt=PRODUCTS_PER_COVERAGE,
                    trigger_price__isnull=False,
                    trigger_window_s__isnull=False,
                    trigger_price__gt=0,
                    trigger_price__lt=1,
                    trigger_window_s__gt=0,
                )
                | Q(
                    product_id__gte=PRODUCTS_PER_COVERAGE,
                    trigger_price__isnull=True,
                    trigger_window_s__isnull=True,
                ),
                name="policy_depeg_has_trigger",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def terms(self) -> SaleTerms:
        """What was sold, for comparison with a repeated sale."""
        return SaleTerms(
            holder=self.holder,
            product_id=self.product_id,
            coverage_usd=self.coverage_usd,
            premium_usd=self.premium_usd,
            starts_at=self.starts_at,
            expires_at=self.expires_at,
            duration_days=(self.expires_at - self.starts_at).days,
            trigger_price=self.trigger_price,
            trigger_window_s=self.trigger_window_s,
        )


class PolicyEvent(models.Model):
    """One step of a policy's life; appended, never changed. Each kind happens at most once per policy and
    claim.

    `policy` carries no database constraint: policies are never deleted. An imported policy begins with its
    PolicyImport instead of an event of its own (selectors/history.py).
    """

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey(
        Policy, on_delete=models.DO_NOTHING, related_name="events", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=16, choices=choices(EventKind))
    claim = models.ForeignKey(
        "policies.Claim", on_delete=models.DO_NOTHING, null=True, related_name="events", db_index=False
    )
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    detail: models.JSONField[Any, Any] = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "kind", "claim"], nulls_distinct=False, name="policy_event_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=words(EventKind)), name="policy_event_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.kind}"
