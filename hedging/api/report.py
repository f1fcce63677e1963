"""GET /api/v2/hedges/report: the figures of the status report, and beside them what is really held."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hedging.selectors.report import book_figures
from hedging.services.config import config_read


def _usd(help_text: str = "") -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=24, decimal_places=6, help_text=help_text)


class ReportExposureOut(serializers.Serializer[Any]):
    """What we promised."""

    products_count = serializers.IntegerField()
    policies_count = serializers.IntegerField()
    coverage_usd = _usd()
    required_usd = _usd("Sum of hedge ratio x coverage.")
    hedge_ratio = serializers.DecimalField(
        max_digits=9, decimal_places=6, allow_null=True, help_text="Null where products differ in it."
    )


class VenueShareOut(serializers.Serializer[Any]):
    """One venue's part."""

    code = serializers.CharField()
    name = serializers.CharField()
    share = serializers.DecimalField(max_digits=9, decimal_places=6)
    allocated_usd = _usd("This venue's part of the requirement.")
    payout_usd = _usd("Paid in the insured events by what is held here.")
    cost_usd = _usd("Paid for what is held here.")


class PositionFiguresOut(serializers.Serializer[Any]):
    """What is held; confirmed trades only."""

    open_count = serializers.IntegerField()
    closed_count = serializers.IntegerField()
    products_hedged_count = serializers.IntegerField(help_text="Products with an open hedge position.")
    realised_pnl_usd = _usd()
    payout_usd = _usd("Paid in the insured events; proxies count with their chance.")
    face_usd = _usd("Paid if every market held pays.")
    cost_usd = _usd("Paid for what is held, fees included.")
    fees_usd = _usd("All fees ever paid.")


class UncertainOut(serializers.Serializer[Any]):
    """What may still become a hedge or not, at worst case."""

    doubt_count = serializers.IntegerField()
    doubt_usd = _usd("Orders UNKNOWN or MANUAL.")
    flight_count = serializers.IntegerField()
    flight_usd = _usd("Orders SENDING, ACKED or PARTIAL.")
    provisional_count = serializers.IntegerField()
    provisional_usd = _usd("Trades matched and not yet settled.")
    provisional_size = serializers.DecimalField(max_digits=28, decimal_places=8)


class LastCycleOut(serializers.Serializer[Any]):
    """The newest finished run."""

    id = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_blank=True)
    mode = serializers.CharField(allow_blank=True)
    environment = serializers.CharField(allow_blank=True)
    as_of = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    intents_count = serializers.IntegerField()
    planned_usd = _usd()
    planned_payout_usd = _usd()
    planned_products_count = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)


class UnhedgedOut(serializers.Serializer[Any]):
    """What the newest good cycle left unhedged, by venue and reason."""

    venue = serializers.CharField(source="venue_code")
    reason = serializers.CharField()
    products_count = serializers.IntegerField()
    unhedged_usd = _usd()


class ReportOut(serializers.Serializer[Any]):
    """The whole report; docs/metrics.md defines each figure."""

    exposure = ReportExposureOut()
    venues = VenueShareOut(many=True)
    positions = PositionFiguresOut()
    uncertain = UncertainOut()
    cycle = LastCycleOut()
    unhedged = UnhedgedOut(many=True)


class Report(APIView):
    """The status report."""

    @extend_schema(operation_id="hedge_report", tags=["hedges"], responses=ReportOut)
    def get(self, _request: Request) -> Response:
        """Exposure, allocations, positions, doubts and reasons, from the database, now."""
        return Response(ReportOut(book_figures(config_read().venue_shares)).data)
