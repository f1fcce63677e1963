"""GET /api/v2/hedges/cycles: what each run of the orchestrator saw and decided, and the reason of every leg."""

from __future__ import annotations

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from hedging.models import Cycle, CycleLeg, CycleTarget


class CycleOut(serializers.ModelSerializer[Cycle]):
    """One run in figures."""

    class Meta:
        model = Cycle
        fields = [
            "id",
            "cause",
            "cause_detail",
            "mode",
            "environment",
            "state",
            "as_of",
            "finished_at",
            "policies_count",
            "products_count",
            "products_hedged_count",
            "coverage_usd",
            "required_usd",
            "planned_usd",
            "planned_payout_usd",
            "intents_count",
            "error",
        ]
        read_only_fields = fields


class LegOut(serializers.ModelSerializer[CycleLeg]):
    """What the run decided for one product on one venue."""

    venue = serializers.CharField(source="venue_id", read_only=True)
    coverage_type = serializers.CharField(source="product.coverage_type", read_only=True)
    chain = serializers.CharField(source="product.chain", read_only=True)
    asset = serializers.CharField(source="product.stablecoin", read_only=True)
    instrument = serializers.CharField(
        source="instrument.instrument_id", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = CycleLeg
        fields = [
            "product_id",
            "coverage_type",
            "chain",
            "asset",
            "venue",
            "instrument",
            "coverage_usd",
            "required_usd",
            "planned_size",
            "planned_usd",
            "planned_payout_usd",
            "held_size",
            "held_payout_usd",
            "unfilled_usd",
            "outcome",
            "reason",
            "sentence",
        ]
        read_only_fields = fields


class TargetOut(serializers.ModelSerializer[CycleTarget]):
    """What the run wanted on one instrument."""

    instrument = serializers.CharField(source="instrument.instrument_id", read_only=True)
    question = serializers.CharField(source="instrument.question", read_only=True)
    book_taken_at = serializers.DateTimeField(
        source="book.taken_at", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = CycleTarget
        fields = [
            "instrument",
            "question",
            "side",
            "size",
            "notional_usd",
            "fee_usd",
            "price_limit",
            "price_average",
            "book_taken_at",
            "reason",
            "sentence",
        ]
        read_only_fields = fields


class CycleDetailOut(CycleOut):
    """One run with its reasons."""

    legs = LegOut(many=True, source="legs_in_order", read_only=True)
    targets = TargetOut(many=True, read_only=True)
    config = serializers.JSONField(read_only=True)

    class Meta(CycleOut.Meta):
        fields = [*CycleOut.Meta.fields, "config", "targets", "legs"]
        read_only_fields = fields


@extend_schema_view(get=extend_schema(operation_id="hedge_cycles", tags=["hedges"]))
class CycleList(ListAPIView[Cycle]):
    """Runs of the orchestrator, newest first."""

    queryset = Cycle.objects.order_by("-id")
    serializer_class = CycleOut
    filterset_fields = ["state", "mode", "cause"]


@extend_schema_view(get=extend_schema(operation_id="hedge_cycle", tags=["hedges"]))
class CycleDetail(RetrieveAPIView[Cycle]):
    """One run with the reason of every leg."""

    queryset = Cycle.objects.prefetch_related(
        "targets__instrument",
        "targets__book",
        Prefetch(
            "legs",
            CycleLeg.objects.select_related("product", "instrument").order_by("product_id", "venue_id"),
            to_attr="legs_in_order",
        ),
    )
    serializer_class = CycleDetailOut
    lookup_url_kwarg = "cycle_id"
