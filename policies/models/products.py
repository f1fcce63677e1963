"""The terms on offer: 560 products, the factors of their price, the ids that contracts give their members."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from policies.domain.catalogue import (
    COINS_WITHOUT_DEPEG_MARKET,
    PRODUCT_COUNT,
    Chain,
    CoverageType,
    Dimension,
    ProductKey,
    ProductLife,
    SizingMode,
    Stablecoin,
    readable,
)
from tonsurance.plumbing.columns import MoneyField, RatioField
from tonsurance.plumbing.words import choices, words


class Product(models.Model):
    """One cell of the catalogue; `id` is OUR dense number (domain/catalogue.py), on-chain ids are
    OnchainId.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    coverage_type = models.CharField(max_length=20, choices=choices(CoverageType), editable=False)
    chain = models.CharField(max_length=20, choices=choices(Chain), editable=False)
    stablecoin = models.CharField(max_length=10, choices=choices(Stablecoin), editable=False)
    is_valid = models.BooleanField(editable=False, help_text="Whether the combination is insurable at all.")
    invalid_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    life = models.CharField(
        max_length=10,
        choices=choices(ProductLife),
        default=ProductLife.DRAFT.value,
        help_text="Only active products are sold; the others keep the cover that is in force.",
    )
    base_rate = RatioField(
        "yearly base rate",
        help_text="Share of the coverage per year, before the chain's multiplier and coin's add-on.",
    )
    hedge_ratio = RatioField(default=Decimal("0.20"), help_text="Share of the exposure to hedge, 0 to 1.")
    sizing_mode = models.CharField(
        max_length=8,
        choices=choices(SizingMode),
        default=SizingMode.BUDGET.value,
        help_text="BUDGET spends hedge ratio x exposure; PAYOUT buys a payout of hedge ratio x exposure.",
    )
    coverage_usd_min = MoneyField("least coverage, USD", default=Decimal(100), help_text="Of one policy.")
    coverage_usd_max = MoneyField(
        "most coverage, USD", default=Decimal(5_000_000), help_text="Of one policy."
    )
    exposure_usd_max = MoneyField(
        "exposure limit, USD",
        null=True,
        blank=True,
        help_text="Most coverage of the product, in force or scheduled; empty for no limit.",
    )
    changed_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["coverage_type", "chain", "stablecoin"], name="product_one_per_combination"
            ),
            models.CheckConstraint(condition=Q(id__lt=PRODUCT_COUNT), name="product_id_in_catalogue"),
            models.CheckConstraint(
                condition=Q(coverage_type__in=words(CoverageType))
                & Q(chain__in=words(Chain))
                & Q(stablecoin__in=words(Stablecoin)),
                name="product_members_known",
            ),
            models.CheckConstraint(
                condition=Q(is_valid=True, invalid_reason="") | (Q(is_valid=False) & ~Q(invalid_reason="")),
                name="product_invalid_has_reason",
            ),
            models.CheckConstraint(condition=Q(life__in=words(ProductLife)), name="product_life_known"),
            models.CheckConstraint(
                condition=Q(is_valid=True) | ~Q(life=ProductLife.ACTIVE.value),
                name="product_invalid_is_never_sold",
            ),
            models.CheckConstraint(
                condition=Q(base_rate__gte=0) & Q(base_rate__lte=1),
                name="product_base_rate_is_a_share",
                violation_error_message="The yearly rate is a share of the coverage: give a number from 0 to 1.",
            ),
            models.CheckConstraint(
                condition=Q(hedge_ratio__gte=0) & Q(hedge_ratio__lte=1),
                name="product_hedge_ratio_is_a_share",
                violation_error_message="The hedge ratio is a share: give a number from 0 to 1.",
            ),
            models.CheckConstraint(
                condition=Q(sizing_mode__in=words(SizingMode)), name="product_sizing_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(coverage_usd_min__gt=0) & Q(coverage_usd_max__gte=F("coverage_usd_min")),
                name="product_coverage_limits_ordered",
                violation_error_message="Least cover must be above 0 and not above most cover.",
            ),
            models.CheckConstraint(
                condition=Q(exposure_usd_max__isnull=True) | Q(exposure_usd_max__gte=0),
                name="product_exposure_limit_not_negative",
                violation_error_message="Leave the exposure limit empty for none, or give a number from 0.",
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(readable(member) for member in (self.coverage_type, self.chain, self.stablecoin))

    def clean(self) -> None:
        """What a person who edits the product is told before the database would refuse."""
        if self.life == ProductLife.ACTIVE and not self.is_valid:
            raise ValidationError({"life": f"Never sold: {self.invalid_reason}. Leave it retired."})

    @property
    def key(self) -> ProductKey:
        """The cell of the catalogue."""
        return ProductKey(
            coverage_type=CoverageType(self.coverage_type),
            chain=Chain(self.chain),
            stablecoin=Stablecoin(self.stablecoin),
        )

    @property
    def has_depeg_market(self) -> bool:
        """False for the coins on which prediction markets offer nothing."""
        return self.stablecoin not in COINS_WITHOUT_DEPEG_MARKET


class OnchainId(models.Model):
    """What contracts call a member of a dimension; other deployments may differ: edit the rows."""

    dimension = models.CharField(max_length=20, choices=choices(Dimension))
    member = models.CharField(max_length=20)
    onchain_id = models.PositiveSmallIntegerField()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "on-chain id"
        ordering = ["dimension", "onchain_id"]
        constraints = [
            models.UniqueConstraint(fields=["dimension", "member"], name="onchain_id_one_per_member"),
            models.UniqueConstraint(fields=["dimension", "onchain_id"], name="onchain_id_names_one_member"),
            models.CheckConstraint(
                condition=Q(onchain_id__lte=255),
                name="onchain_id_fits_uint8",
                violation_error_message="Contracts keep ids in one byte: give a number from 0 to 255.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.member} = {self.onchain_id}"


class RateFactor(models.Model):
    """A chain's multiplier or a coin's add-on to the yearly rate (domain/pricing.py), for underwriters to
    edit.
    """

    dimension = models.CharField(max_length=20, choices=choices([Dimension.CHAIN, Dimension.STABLECOIN]))
    member = models.CharField(max_length=20)
    factor = RatioField(
        help_text="Chain: multiplier of the base rate. Stablecoin: added to it, share per year."
    )
    is_published = models.BooleanField(help_text="Off: not in the published table; this is our default.")
    history = HistoricalRecords()

    class Meta:
        ordering = ["dimension", "id"]
        constraints = [
            models.UniqueConstraint(fields=["dimension", "member"], name="rate_factor_one_per_member"),
            models.CheckConstraint(
                condition=Q(dimension__in=words([Dimension.CHAIN, Dimension.STABLECOIN])),
                name="rate_factor_dimension_known",
            ),
            models.CheckConstraint(
                condition=Q(factor__gte=0) & Q(factor__lte=10),
                name="rate_factor_in_range",
                violation_error_message="Give a number from 0 to 10.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} {self.factor.normalize():f}"
