"""Claims on policies: filed, decided, paid, and settled once the hedges are closed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from policies.domain.claims import ClaimStatus
from tonsurance.plumbing.columns import MoneyField, PriceField
from tonsurance.plumbing.words import choices, words


class Claim(models.Model):
    """One claim. `amount_usd` is paid at most once per policy; a rejected claim may be followed by another.

    `hedges_closed_at` and `hedge_recovery_usd` are noted by the hedging department when the policy's hedges
    are sold or redeemed; the claim can be settled only after that.
    """

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey("policies.Policy", on_delete=models.PROTECT, related_name="claims")
    status = models.CharField(max_length=10, choices=choices(ClaimStatus), default=ClaimStatus.FILED.value)
    amount_usd = MoneyField()
    event_at = models.DateTimeField(help_text="When the insured event happened.")
    observed_price = PriceField(
        null=True, blank=True, help_text="Depeg: the highest price over the window, USD per coin."
    )
    evidence = models.TextField(help_text="What shows the event: links, transaction ids, price sources.")
    filed_at = models.DateTimeField()
    filed_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decision_reason = models.TextField(blank=True, default="")
    paid_at = models.DateTimeField(null=True, blank=True)
    paid_by = models.CharField(max_length=150, blank=True, default="")
    payment_reference = models.CharField(max_length=200, blank=True, default="")
    hedges_closed_at = models.DateTimeField(null=True, blank=True)
    hedge_recovery_usd = MoneyField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("decide_claim", "Can approve or reject a claim"),
            ("pay_claim", "Can record the payment of a claim"),
            ("settle_claim", "Can settle a claim"),
        ]
        indexes = [models.Index(fields=["status", "id"], name="claim_by_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["policy"],
                condition=~Q(status=ClaimStatus.REJECTED.value),
                name="claim_one_alive_per_policy",
            ),
            models.CheckConstraint(condition=Q(amount_usd__gt=0), name="claim_amount_positive"),
            models.CheckConstraint(condition=Q(status__in=words(ClaimStatus)), name="claim_status_known"),
            models.CheckConstraint(
                condition=Q(status=ClaimStatus.FILED.value, decided_at__isnull=True)
                | (~Q(status=ClaimStatus.FILED.value) & Q(decided_at__isnull=False) & ~Q(decided_by="")),
                name="claim_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status__in=words([ClaimStatus.PAID, ClaimStatus.SETTLED]), paid_at__isnull=False)
                | (~Q(status__in=words([ClaimStatus.PAID, ClaimStatus.SETTLED])) & Q(paid_at__isnull=True)),
                name="claim_paid_has_moment",
            ),
            models.CheckConstraint(
                condition=Q(hedges_closed_at__isnull=True, hedge_recovery_usd__isnull=True)
                | Q(hedges_closed_at__isnull=False, hedge_recovery_usd__isnull=False, paid_at__isnull=False),
                name="claim_hedges_close_after_payment",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=ClaimStatus.SETTLED.value, settled_at__isnull=False, hedges_closed_at__isnull=False
                )
                | (~Q(status=ClaimStatus.SETTLED.value) & Q(settled_at__isnull=True)),
                name="claim_settles_after_hedges",
            ),
        ]

    def __str__(self) -> str:
        return f"claim {self.pk} on policy {self.policy_id}"
