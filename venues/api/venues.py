"""GET /api/v2/venues: where hedges can go, which of them can be reached, and what they last said."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from venues.models import Venue
from venues.services.venues import venue_codes_with_gateway


class VenueOut(serializers.ModelSerializer[Venue]):
    """One venue. Without a gateway its share of every hedge stays unhedged."""

    has_gateway = serializers.SerializerMethodField()

    class Meta:
        model = Venue
        fields = [
            "code",
            "name",
            "kind",
            "has_gateway",
            "is_enabled",
            "last_seen_at",
            "last_error",
            "last_error_at",
        ]
        read_only_fields = fields

    def get_has_gateway(self, venue: Venue) -> bool:
        """Whether orders can be sent there."""
        return venue.code in self.context["gateways"]


class VenuesOut(serializers.Serializer[Any]):
    """All venues; there are few, so they come on one page."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = VenueOut(many=True)


class VenueList(APIView):
    """The venues."""

    @extend_schema(operation_id="venues", tags=["venues"], responses=VenuesOut)
    def get(self, _request: Request) -> Response:
        """Every venue in the order of reports."""
        rows = list(Venue.objects.order_by("position", "code"))
        results = VenueOut(rows, many=True, context={"gateways": venue_codes_with_gateway()}).data
        return Response({"count": len(rows), "next": None, "previous": None, "results": results})
