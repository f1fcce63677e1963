"""The slice of a position that belongs to one policy, the division it came from, and the sums of all slices.

A million slices are written at once, so they carry no foreign keys in the database: an attribution is proved against
its slices when it commits (HB082), and neither policies nor products nor instruments are ever deleted.
`docs/adr/0011-attribution-by-decision.md` says why purchases are divided by decision and not by trade.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from tonsurance.plumbing.columns import MoneyField, PriceField, SizeField


class Attribution(models.Model):
    """One division of confirmed purchases of one instrument among policies.

    `size` and `cost_usd` went to policies and equal the sums of the slices, to the micro-unit. `ownerless_size` could
    not be given because no policy of the products that asked was in force: the house keeps it.
    """

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="+")
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="attributions")
    policy = models.ForeignKey(
        "policies.Policy",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Set when the purchases were decided for one policy alone.",
    )
    order = models.ForeignKey(
        "hedging.Order",
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The newest order of the purchases; all of them are found through the trades.",
    )
    fills_count = models.PositiveIntegerField()
    slices_count = models.PositiveIntegerField()
    size = SizeField()
    cost_usd = MoneyField(help_text="Paid, fees included.")
    ownerless_size = SizeField(default=0)
    entry_price = PriceField(help_text="Average price per unit without fees.")
    entry_time = models.DateTimeField(help_text="When the newest of the trades matched.")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gte=0, ownerless_size__gte=0, cost_usd__gte=0),
                name="attribution_not_negative",
            ),
            models.CheckConstraint(condition=Q(fills_count__gt=0), name="attribution_of_some_fill"),
        ]

    def __str__(self) -> str:
        return f"AT-{self.pk}"


class HeldShare(models.Model):
    """What all slices of one instrument and one product add up to, kept with every change of a slice.

    Of 560 products and a few markets, where the slices are millions: a cycle reads this and not them.
    """

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey("venues.Instrument", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("policies.Product", on_delete=models.PROTECT, related_name="+")
    open_size = SizeField(default=0)
    open_cost_usd = MoneyField(default=0)
    open_count = models.BigIntegerField(default=0)
    closed_count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instrument", "product"], name="heldshare_one_per_pair"),
            models.CheckConstraint(
                condition=Q(open_size__gte=0, open_cost_usd__gte=0, open_count__gte=0, closed_count__gte=0),
                name="heldshare_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.open_size} of instrument {self.instrument_id} for product {self.product_id}"


class EndedPolicy(models.Model):
    """A policy that is not in force any more and may have open slices; noted by a trigger as it ends."""

    policy = models.OneToOneField(
        "policies.Policy", on_delete=models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    ended_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"policy {self.policy_id}"


class HedgePosition(models.Model):
    """One policy's part of one attribution; sold by closing orders when the policy ends."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey(
        "policies.Policy",
        on_delete=models.PROTECT,
        related_name="hedge_positions",
        db_index=False,
        db_constraint=False,
    )
    product = models.ForeignKey(
        "policies.Product", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    venue = models.ForeignKey(
        "venues.Venue", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    instrument = models.ForeignKey(
        "venues.Instrument", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    attribution = models.ForeignKey(
        Attribution,
        on_delete=models.PROTECT,
        related_name="hedge_positions",
        db_index=False,
        db_constraint=False,
    )
    size = SizeField()
    hedge_amount_usd = MoneyField(help_text="Paid for this slice, fees included.")
    entry_price = PriceField(help_text="Price per unit without fees.")
    entry_time = models.DateTimeField()
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    closed_size = SizeField(default=0)
    released_size = SizeField(
        default=0, help_text="Part of the closed units that was too small to sell: the house keeps it."
    )
    proceeds_usd = MoneyField(default=0, help_text="Received for the closed part, after fees.")
    realised_pnl_usd = MoneyField(null=True, blank=True)
    close_time = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["attribution", "policy"], name="hedgeposition_one_per_attribution_and_policy"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "closed"]), name="hedgeposition_status_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="hedgeposition_size_positive"),
            models.CheckConstraint(
                condition=Q(closed_size__gte=0, closed_size__lte=F("size")),
                name="hedgeposition_closed_within_size",
            ),
            models.CheckConstraint(
                condition=Q(released_size__gte=0, released_size__lte=F("closed_size")),
                name="hedgeposition_released_within_closed",
            ),
            models.CheckConstraint(
                condition=Q(status="open", close_time__isnull=True)
                | Q(status="closed", closed_size=F("size")),
                name="hedgeposition_closed_when_all_sold",
            ),
        ]
        # A million rows are written at once, so an index must be worth what it adds to each of them: a third as much
        # again for (status, id) or (venue, id), next to nothing for these but the first two.
        indexes = [
            models.Index(fields=["policy"], name="hedge_policy"),
            models.Index(fields=["product", "-id"], name="hedge_product"),
            models.Index(fields=["-id"], condition=Q(status="closed"), name="hedge_closed"),
            models.Index(fields=["instrument"], condition=Q(status="open"), name="hedge_open_by_instrument"),
            # Rows of one moment and one venue lie together.
            BrinIndex(fields=["entry_time", "venue"], autosummarize=True, name="hedge_runs"),
        ]

    def __str__(self) -> str:
        return f"HP-{self.pk}"

    @property
    def position_id(self) -> str:
        """The founding document's TEXT key."""
        return f"HP-{self.pk}"
