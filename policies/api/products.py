"""GET /api/v2/products and /api/v2/exposure: what is on offer, and how much of it is in force."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from policies.api.fields import CHAIN_WORDS, COVERAGE_TYPE_WORDS, STABLECOIN_WORDS
from policies.domain.catalogue import product_key
from policies.models import Product
from policies.selectors.exposure import exposure_by_product
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.problems import problem_answers


class ProductOut(serializers.ModelSerializer[Product]):
    """A product and its terms. Rates are shares of the coverage per year."""

    has_depeg_market = serializers.BooleanField(
        read_only=True, help_text="False: prediction markets offer nothing on this coin."
    )

    class Meta:
        model = Product
        fields = [
            "id",
            "coverage_type",
            "chain",
            "stablecoin",
            "is_valid",
            "invalid_reason",
            "life",
            "base_rate",
            "hedge_ratio",
            "sizing_mode",
            "coverage_usd_min",
            "coverage_usd_max",
            "exposure_usd_max",
            "has_depeg_market",
        ]
        read_only_fields = fields


@extend_schema_view(
    get=extend_schema(
        operation_id="products",
        tags=["products"],
        responses={200: ProductOut(many=True), **problem_answers(400, 404)},
    )
)
class ProductList(ListAPIView[Product]):
    """The 560 products in the order of their ids."""

    queryset = Product.objects.order_by("id")
    serializer_class = ProductOut
    filterset_fields = ["coverage_type", "chain", "stablecoin", "is_valid", "life"]


class ProductExposureOut(serializers.Serializer[Any]):
    """What is in force of one product."""

    product_id = serializers.IntegerField()
    coverage_type = serializers.ChoiceField(COVERAGE_TYPE_WORDS)
    chain = serializers.ChoiceField(CHAIN_WORDS)
    stablecoin = serializers.ChoiceField(STABLECOIN_WORDS)
    coverage_usd = serializers.DecimalField(max_digits=24, decimal_places=6)
    policies_count = serializers.IntegerField()


class ExposureOut(serializers.Serializer[Any]):
    """Exposure now; products with none are left out."""

    as_of = serializers.DateTimeField()
    coverage_usd = serializers.DecimalField(max_digits=24, decimal_places=6)
    policies_count = serializers.IntegerField()
    products = ProductExposureOut(many=True)


class ExposureView(APIView):
    """Exposure."""

    @extend_schema(
        operation_id="exposure", tags=["products"], responses={200: ExposureOut, **problem_answers()}
    )
    def get(self, request: Request) -> Response:
        """Coverage in force per product, from the kept sums (not a scan): exact at this moment."""
        as_of, by_product = utc_now(), exposure_by_product()
        products = [
            {
                "product_id": product_id,
                "coverage_type": (key := product_key(product_id)).coverage_type.value,
                "chain": key.chain.value,
                "stablecoin": key.stablecoin.value,
                "coverage_usd": exposure.coverage_usd,
                "policies_count": exposure.policies_count,
            }
            for product_id, exposure in by_product.items()
        ]
        answer = {
            "as_of": as_of,
            "coverage_usd": sum((exposure.coverage_usd for exposure in by_product.values()), Decimal(0)),
            "policies_count": sum(exposure.policies_count for exposure in by_product.values()),
            "products": products,
        }
        return Response(ExposureOut(answer).data)
