"""Products, the factors of their price, and their on-chain ids: what underwriters edit, with its history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin
from simple_history.utils import bulk_update_with_history
from unfold.admin import ModelAdmin
from unfold.decorators import action

from policies.admin import colours
from policies.domain import pricing
from policies.domain.catalogue import ProductLife
from policies.domain.exposure import NO_EXPOSURE
from policies.models import OnchainId, Product, RateFactor
from policies.selectors.exposure import exposure_by_product
from policies.selectors.products import product_rates
from tonsurance.plumbing import display
from tonsurance.plumbing.cells import badge_cell, percent_cell, usd_cell
from tonsurance.plumbing.verbs import actor_of

EXAMPLE_USD = Decimal(100_000)


class _FixedRows(SimpleHistoryAdmin, ModelAdmin):
    """Rows that the catalogue makes: edited, never added or deleted."""

    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(_FixedRows):
    """One product's terms."""

    list_display = [
        "name",
        "life_word",
        "n_base_rate",
        "n_hedge_ratio",
        "sizing_mode",
        "n_least",
        "n_most",
        "n_limit",
        "n_exposure",
        "n_policies",
    ]
    list_filter = ["life", "coverage_type", "chain", "stablecoin", "is_valid"]
    search_fields = ["coverage_type", "chain", "stablecoin"]
    sortable_by = ["name", "life_word", "n_base_rate", "n_hedge_ratio"]
    ordering = ["id"]
    actions = ["pause", "activate"]
    actions_list = ["rate_factors", "onchain_ids"]
    readonly_fields = ["name", "validity", "price_now", "n_exposure", "n_policies", "market"]
    fieldsets = [
        (None, {"fields": ["name", "validity", "life"]}),
        ("Price", {"fields": ["base_rate", "price_now"]}),
        ("Limits", {"fields": ["coverage_usd_min", "coverage_usd_max", "exposure_usd_max"]}),
        ("Hedging", {"fields": ["hedge_ratio", "sizing_mode", "market"]}),
        ("In force", {"fields": ["n_exposure", "n_policies"]}),
    ]

    @admin.display(description="Product", ordering="id")
    def name(self, product: Product) -> str:
        return str(product)

    life_word = badge_cell("life", "Life", colours=colours.LIFE)
    n_base_rate = percent_cell("base_rate", "Yearly rate")
    n_hedge_ratio = percent_cell("hedge_ratio", "Hedge ratio")
    n_least = usd_cell("coverage_usd_min", "Least cover")
    n_most = usd_cell("coverage_usd_max", "Most cover")

    @admin.display(description="Price now")
    def price_now(self, product: Product) -> str:
        rates = product_rates(product)
        month = pricing.premium(EXAMPLE_USD, rates=rates, term=timedelta(days=30))
        return (
            f"{display.percent_text(rates.annual_rate)} a year after the chain's multiplier and the coin's add-on: "
            f"{display.usd_text(month)} for {display.usd_text(EXAMPLE_USD)} over 30 days"
        )

    @admin.display(description="Exposure limit")
    def n_limit(self, product: Product) -> str:
        return display.usd(product.exposure_usd_max)

    @admin.display(description="Exposure")
    def n_exposure(self, product: Product) -> str:
        return display.usd(_exposure_of(product).coverage_usd)

    @admin.display(description="Policies")
    def n_policies(self, product: Product) -> str:
        return display.count(_exposure_of(product).policies_count)

    @admin.display(description="Insurable")
    def validity(self, product: Product) -> str:
        return display.yes_no(product.is_valid) if product.is_valid else product.invalid_reason

    @admin.display(description="Prediction market")
    def market(self, product: Product) -> str:
        return (
            "Possible" if product.has_depeg_market else "None: prediction markets offer nothing on this coin"
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page's rows with their exposure, in one query for all of them."""
        page = super().get_changelist_instance(request)
        kept = exposure_by_product([product.pk for product in page.result_list])
        for product in page.result_list:
            product.exposure_now = kept.get(product.pk, NO_EXPOSURE)
        return page

    @admin.action(description="Pause: sell no more of these", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Stop selling; what is in force goes on."""
        self._set_life(request, queryset.filter(life=ProductLife.ACTIVE.value), ProductLife.PAUSED)

    @admin.action(description="Activate: sell these", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Sell again; combinations that are not insurable stay as they are."""
        self._set_life(
            request, queryset.filter(is_valid=True).exclude(life=ProductLife.ACTIVE.value), ProductLife.ACTIVE
        )

    def _set_life(self, request: HttpRequest, queryset: QuerySet[Product], life: ProductLife) -> None:
        products = list(queryset)
        for product in products:
            product.life = life.value
        bulk_update_with_history(
            products,
            Product,
            ["life"],
            default_user=request.user,
            default_change_reason=f"list: {life.value}",
        )
        self.message_user(request, f"{len(products)} products are {life.value} now, by {actor_of(request)}")

    @action(description="Rate factors", url_path="rate-factors", icon="percent")
    def rate_factors(self, request: HttpRequest) -> HttpResponse:
        """The chains' multipliers and the coins' add-ons."""
        return HttpResponseRedirect(reverse("admin:policies_ratefactor_changelist"))

    @action(description="On-chain ids", url_path="onchain-ids", icon="tag")
    def onchain_ids(self, request: HttpRequest) -> HttpResponse:
        """What contracts call the members."""
        return HttpResponseRedirect(reverse("admin:policies_onchainid_changelist"))


@admin.register(RateFactor)
class RateFactorAdmin(_FixedRows):
    """A chain's multiplier or a coin's add-on."""

    list_display = ["member", "dimension", "factor", "is_published"]
    list_filter = ["dimension", "is_published"]
    sortable_by: list[str] = []
    readonly_fields = ["dimension", "member", "is_published"]


@admin.register(OnchainId)
class OnchainIdAdmin(_FixedRows):
    """A member's on-chain id. To swap two ids, move one of them to a free number first."""

    list_display = ["member", "dimension", "onchain_id"]
    list_filter = ["dimension"]
    sortable_by: list[str] = []
    readonly_fields = ["dimension", "member"]


def _exposure_of(product: Product) -> Any:
    known = getattr(product, "exposure_now", None)
    return known or exposure_by_product([product.pk]).get(product.pk, NO_EXPOSURE)
