"""POST /api/v2/quote/multi-dimensional: what cover costs, and why."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from policies.api.fields import (
    CHAIN_WORDS,
    COVERAGE_TYPE_WORDS,
    STABLECOIN_WORDS,
    ChainIn,
    CoverageTypeIn,
    StablecoinIn,
)
from policies.domain import coverage
from policies.selectors.products import product_key_of
from policies.selectors.quotes import quote_of
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.api import MoneyIn, StrictSerializer
from tonsurance.plumbing.models.keys import Scope
from tonsurance.plumbing.problems import problem_answers


class QuoteIn(StrictSerializer):
    """What is to be insured; members by word or by on-chain id."""

    coverage_type = CoverageTypeIn()
    chain = ChainIn()
    stablecoin = StablecoinIn()
    coverage_amount = MoneyIn(help_text="US dollars.")
    duration_days = serializers.IntegerField(
        max_value=1_000_000, help_text=f"{coverage.DURATION_DAYS_MIN} to {coverage.DURATION_DAYS_MAX}."
    )


class BreakdownOut(serializers.Serializer[Any]):
    """premium = coverage_amount x (base_rate x chain_multiplier + stablecoin_addon) x duration_days / 365."""

    base_rate = serializers.DecimalField(max_digits=9, decimal_places=6, help_text="Share per year.")
    chain_multiplier = serializers.DecimalField(max_digits=9, decimal_places=6)
    stablecoin_addon = serializers.DecimalField(max_digits=9, decimal_places=6, help_text="Share per year.")
    annual_rate = serializers.DecimalField(max_digits=18, decimal_places=12, help_text="Share per year.")
    coverage_amount = serializers.DecimalField(max_digits=24, decimal_places=6)
    duration_days = serializers.IntegerField()


class QuoteOut(serializers.Serializer[Any]):
    """A price that stands until `valid_until`."""

    product_id = serializers.IntegerField()
    coverage_type = serializers.ChoiceField(COVERAGE_TYPE_WORDS)
    chain = serializers.ChoiceField(CHAIN_WORDS)
    stablecoin = serializers.ChoiceField(STABLECOIN_WORDS)
    premium = serializers.DecimalField(max_digits=24, decimal_places=2, help_text="US dollars, to the cent.")
    breakdown = BreakdownOut()
    quoted_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField()


class QuoteView(APIView):
    """Quotes."""

    scope_by_method = {"POST": Scope.READ}

    @extend_schema(
        operation_id="quote",
        tags=["quotes"],
        request=QuoteIn,
        responses={200: QuoteOut, **problem_answers(400, 422)},
    )
    def post(self, request: Request) -> Response:
        """The published price of cover. Nothing is stored and nothing is sold."""
        asked = QuoteIn(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        key = product_key_of(
            coverage_type=wanted["coverage_type"], chain=wanted["chain"], stablecoin=wanted["stablecoin"]
        )
        quote = quote_of(
            key,
            coverage_amount=wanted["coverage_amount"],
            duration_days=wanted["duration_days"],
            now=utc_now(),
        )
        answer = {
            "product_id": key.number,
            "coverage_type": key.coverage_type.value,
            "chain": key.chain.value,
            "stablecoin": key.stablecoin.value,
            "premium": quote.premium_usd,
            "breakdown": {
                "base_rate": quote.rates.base_rate,
                "chain_multiplier": quote.rates.chain_multiplier,
                "stablecoin_addon": quote.rates.coin_addon,
                "annual_rate": quote.rates.annual_rate,
                "coverage_amount": quote.coverage_usd,
                "duration_days": quote.duration_days,
            },
            "quoted_at": quote.quoted_at,
            "valid_until": quote.valid_until,
        }
        return Response(QuoteOut(answer).data)
