"""GET /api/v2/hedges/positions: the founding document's table, filtered, newest first, a page at a time.

`next` and `previous` carry a place in the list (`before`, `after`) instead of a page number, so that the millionth row
costs what the first does and no row is skipped when others are added meanwhile.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from hedging.models import HedgePosition
from hedging.selectors.positions import PositionsAsked, PositionsPage, positions_page
from policies.domain.catalogue import CHAINS, COVERAGE_TYPES, STABLECOINS, product_numbers
from tonsurance.plumbing.api import PAGE_SIZE, PAGE_SIZE_MAX, StrictSerializer

ROWS_BY_NUMBER_MAX = 10_000


class PositionsQuery(StrictSerializer):
    """Filters and place."""

    status = serializers.ChoiceField(HedgePosition.Status.choices, required=False)
    venue = serializers.SlugField(required=False, help_text="Code of a venue, for instance `polymarket`.")
    policy = serializers.CharField(required=False, max_length=64, help_text="External id of a policy.")
    coverage_type = serializers.ChoiceField([word.value for word in COVERAGE_TYPES], required=False)
    chain = serializers.ChoiceField([word.value for word in CHAINS], required=False)
    asset = serializers.ChoiceField([word.value for word in STABLECOINS], required=False)
    opened_after = serializers.DateTimeField(required=False, help_text="Entry time, this moment or later.")
    opened_before = serializers.DateTimeField(
        required=False, help_text="Entry time, earlier than this moment."
    )
    page = serializers.IntegerField(
        required=False, min_value=1, help_text="Within the first 10,000 rows; follow `next` beyond."
    )
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=PAGE_SIZE_MAX, default=PAGE_SIZE
    )
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Set by `next`."
    )
    after = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="Set by `previous`."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        places = [name for name in ("page", "before", "after") if name in data]
        if len(places) > 1:
            raise serializers.ValidationError(
                {places[1]: [f"not together with {places[0]} | send one of them"]}
            )
        if data.get("page", 1) * data["page_size"] > ROWS_BY_NUMBER_MAX:
            raise serializers.ValidationError(
                {
                    "page": [
                        f"pages by number end at row {ROWS_BY_NUMBER_MAX} | follow `next`, or narrow the filters"
                    ]
                }
            )
        return data


class HedgePositionOut(serializers.Serializer[Any]):
    """One policy's slice of a hedge. Money and sizes are decimal strings, moments ISO 8601 in UTC."""

    position_id = serializers.CharField()
    policy_id = serializers.IntegerField()
    policy_external_id = serializers.CharField()
    product_id = serializers.IntegerField()
    coverage_type = serializers.ChoiceField([word.value for word in COVERAGE_TYPES])
    chain = serializers.ChoiceField([word.value for word in CHAINS])
    asset = serializers.ChoiceField([word.value for word in STABLECOINS])
    venue = serializers.CharField()
    external_order_id = serializers.CharField(help_text="The venue's name of the order that opened it.")
    size = serializers.DecimalField(max_digits=28, decimal_places=8, help_text="Units of the instrument.")
    hedge_amount = serializers.DecimalField(
        max_digits=24, decimal_places=6, help_text="USD paid, fees included."
    )
    entry_price = serializers.DecimalField(
        max_digits=24, decimal_places=10, help_text="USD per unit, without fees."
    )
    entry_time = serializers.DateTimeField()
    status = serializers.ChoiceField(HedgePosition.Status.choices)
    realized_pnl = serializers.DecimalField(
        max_digits=24, decimal_places=6, allow_null=True, help_text="USD; null until a part is sold."
    )
    close_time = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PositionsOut(serializers.Serializer[Any]):
    """One page."""

    count = serializers.IntegerField(help_text="Matching rows; an estimate where `count_is_exact` is false.")
    count_is_exact = serializers.BooleanField(help_text="True up to 1,000 rows.")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = HedgePositionOut(many=True)


class PositionList(APIView):
    """Hedge positions."""

    @extend_schema(
        operation_id="hedge_positions", tags=["hedges"], parameters=[PositionsQuery], responses=PositionsOut
    )
    def get(self, request: Request) -> HttpResponse:
        """Slices of hedges by policy, newest first."""
        query = PositionsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        chosen = query.validated_data
        page = positions_page(_asked(chosen))
        return HttpResponse(_body(page, request, chosen), content_type="application/json")


def _asked(chosen: dict[str, Any]) -> PositionsAsked:
    return PositionsAsked(
        page_size=chosen["page_size"],
        offset=(chosen.get("page", 1) - 1) * chosen["page_size"],
        product_ids=_product_ids(chosen),
        **{
            name: chosen.get(name)
            for name in ("before", "after", "status", "venue", "policy", "opened_after", "opened_before")
        },
    )


def _product_ids(chosen: dict[str, Any]) -> list[int] | None:
    """The products that the three members leave; None where nothing is asked of them."""
    if not chosen.keys() & {"coverage_type", "chain", "asset"}:
        return None
    return product_numbers(
        coverage_type=chosen.get("coverage_type"), chain=chosen.get("chain"), stablecoin=chosen.get("asset")
    )


def _body(page: PositionsPage, request: Request, chosen: dict[str, Any]) -> str:
    """The envelope around the database's own JSON."""
    came_back = "after" in chosen
    is_first = not came_back and "before" not in chosen and chosen.get("page", 1) == 1
    has_next = came_back or page.has_more
    has_previous = page.has_more if came_back else not is_first
    following = _link(request, "before", page.last_id) if has_next and page.last_id else None
    previous = _link(request, "after", page.first_id) if has_previous and page.first_id else None
    return (
        f'{{"count":{page.count},"count_is_exact":{json.dumps(page.count_is_exact)},"next":{json.dumps(following)},'
        f'"previous":{json.dumps(previous)},"results":{page.rows_json}}}'
    )


def _link(request: Request, place: str, row_id: int | None) -> str:
    query = request.query_params.copy()
    for name in ("page", "before", "after"):
        query.pop(name, None)
    query[place] = str(row_id)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
