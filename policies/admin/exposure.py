"""Exposure per product, as kept, and the button that proves it equal to the book."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from policies.domain.exposure import NO_EXPOSURE
from policies.models import Exposure
from policies.selectors.exposure import exposure_by_product
from policies.services.verification import verify_exposure
from tonsurance.plumbing import display
from tonsurance.plumbing.cells import ago_cell, link_cell
from tonsurance.plumbing.readonly import ReadOnlyAdmin

DIFFERENCES_SHOWN = 10


class InForce(admin.SimpleListFilter):
    """Products with cover in force, or all 560."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With exposure"), ("no", "Without")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Exposure]) -> QuerySet[Exposure]:
        if self.value() not in ("yes", "no"):
            return queryset
        exposed = list(exposure_by_product())
        return queryset.filter(pk__in=exposed) if self.value() == "yes" else queryset.exclude(pk__in=exposed)


@admin.register(Exposure)
class ExposureAdmin(ReadOnlyAdmin):
    """What is in force of one product: its row plus the deltas not yet folded into it."""

    list_display = ["product_link", "n_coverage", "n_policies", "n_average", "n_share", "folded"]
    list_filter = [InForce, "product__coverage_type", "product__chain", "product__stablecoin"]
    list_select_related = ["product"]
    list_before_template = "admin/policies/exposure_totals.html"
    list_display_links = None
    ordering = ["-coverage_usd", "product"]
    sortable_by: list[str] = []
    actions_list = ["verify"]

    product_link = link_cell("product", "Product")
    folded = ago_cell("updated_at", "Last folded")

    @admin.display(description="Coverage in force")
    def n_coverage(self, row: Any) -> str:
        return display.usd(row.now.coverage_usd)

    @admin.display(description="Policies")
    def n_policies(self, row: Any) -> str:
        return display.count(row.now.policies_count)

    @admin.display(description="Average")
    def n_average(self, row: Any) -> str:
        count = row.now.policies_count
        return display.usd(row.now.coverage_usd / count if count else None)

    @admin.display(description="Share of the book")
    def n_share(self, row: Any) -> str:
        return display.percent(display.share_of(row.now.coverage_usd, row.book_usd))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page's rows with what is in force now; one query for all products."""
        page = super().get_changelist_instance(request)
        kept = exposure_by_product()
        book_usd = sum((exposure.coverage_usd for exposure in kept.values()), Decimal(0))
        for row in page.result_list:
            row.now = kept.get(row.pk, NO_EXPOSURE)
            row.book_usd = book_usd
        page.totals = [
            ("Coverage in force", display.usd_text(book_usd)),
            ("Policies in force", f"{sum(exposure.policies_count for exposure in kept.values()):,}"),
            ("Products with exposure", f"{len(kept):,} of 560"),
        ]
        return page

    @action(description="Verify against the policies", url_path="verify", icon="fact_check")
    def verify(self, request: HttpRequest) -> HttpResponse:
        """Compare the kept sums with a scan of the whole book, at one moment."""
        violations = verify_exposure()
        if violations:
            shown = "; ".join(violations[:DIFFERENCES_SHOWN])
            messages.error(request, f"{len(violations)} products differ: {shown}")
        else:
            messages.success(
                request, "Kept exposure equals the sum of the policies in force, to the micro-dollar"
            )
        return HttpResponseRedirect(reverse("admin:policies_exposure_changelist"))
