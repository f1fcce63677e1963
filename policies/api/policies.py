"""POST and GET /api/v2/policies: cover is sold, found and looked at."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
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
from policies.domain.catalogue import Chain, CoverageType, Stablecoin, product_numbers
from policies.domain.coverage import EventKind, PolicyStatus
from policies.models import Policy
from policies.selectors.history import policy_history
from policies.selectors.policies import policy_get
from policies.services.policies import policy_record_sale
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.api import MoneyIn, StrictSerializer, client_of
from tonsurance.plumbing.bells import ring
from tonsurance.plumbing.idempotency import HEADER, idempotent
from tonsurance.plumbing.problems import problem_answers
from tonsurance.plumbing.words import choices

_IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="16 to 255 characters. The same key with the same body is answered again, not done again.",
)


class SaleIn(StrictSerializer):
    """A sale. Give exactly one of `duration_days` and `expires_at`."""

    external_id = serializers.RegexField(
        rf"^{coverage.EXTERNAL_ID_PATTERN}\Z",
        trim_whitespace=False,
        help_text="Your name of the sale; posting the same sale twice makes one policy.",
        error_messages={
            "invalid": "not a name we can keep | use 1 to 64 letters, digits and . _ : - "
            "beginning with a letter or digit"
        },
    )
    holder = serializers.CharField(max_length=coverage.HOLDER_LENGTH_MAX, help_text="Who is insured.")
    coverage_type = CoverageTypeIn()
    chain = ChainIn()
    stablecoin = StablecoinIn()
    coverage_usd = MoneyIn(help_text="Most that the policy pays, US dollars.")
    duration_days = serializers.IntegerField(
        required=False,
        max_value=1_000_000,
        help_text=f"{coverage.DURATION_DAYS_MIN} to {coverage.DURATION_DAYS_MAX}.",
    )
    expires_at = serializers.DateTimeField(required=False)
    starts_at = serializers.DateTimeField(required=False, help_text="Default: now.")
    premium_usd = MoneyIn(
        required=False, help_text="Default: the published price; otherwise within 2 % of it."
    )
    trigger_price = MoneyIn(
        required=False,
        decimal_places=10,
        help_text=f"Depeg only, US dollars per coin. Default {coverage.TRIGGER_PRICE_DEFAULT}.",
    )
    trigger_window_s = serializers.IntegerField(
        required=False,
        max_value=2**31 - 1,
        help_text=f"Depeg only, seconds. Default {coverage.TRIGGER_WINDOW_S_DEFAULT}.",
    )


class PolicyOut(serializers.Serializer[Policy]):
    """A policy. Money is a decimal string of US dollars, moments are ISO 8601 in UTC."""

    external_id = serializers.CharField()
    holder = serializers.CharField()
    product_id = serializers.IntegerField(help_text="Our number of the product, 0 to 559.")
    coverage_type = serializers.ChoiceField(COVERAGE_TYPE_WORDS, source="product.coverage_type")
    chain = serializers.ChoiceField(CHAIN_WORDS, source="product.chain")
    stablecoin = serializers.ChoiceField(STABLECOIN_WORDS, source="product.stablecoin")
    coverage_usd = serializers.DecimalField(max_digits=24, decimal_places=6)
    premium_usd = serializers.DecimalField(max_digits=24, decimal_places=6)
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    trigger_price = serializers.DecimalField(max_digits=24, decimal_places=10, allow_null=True)
    trigger_window_s = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices(PolicyStatus))
    ended_at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not where it reads
    created_at = serializers.DateTimeField()


class PolicyEventOut(serializers.Serializer[Any]):
    """One step of a policy's life."""

    kind = serializers.ChoiceField(choices(EventKind))
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    detail = serializers.DictField()


class PolicyDetailOut(PolicyOut):
    """A policy with its history."""

    events = serializers.SerializerMethodField()

    @extend_schema_field(PolicyEventOut(many=True))
    def get_events(self, policy: Policy) -> Any:
        return PolicyEventOut(policy_history(policy), many=True).data


_MEMBERS: dict[str, Any] = {"coverage_type": CoverageType, "chain": Chain, "stablecoin": Stablecoin}


class PolicyFilter(filters.FilterSet):
    """What the list can be narrowed by."""

    status = filters.ChoiceFilter(choices=choices(PolicyStatus))
    coverage_type = filters.ChoiceFilter(
        choices=[(word, word) for word in COVERAGE_TYPE_WORDS], method="by_member"
    )
    chain = filters.ChoiceFilter(choices=[(word, word) for word in CHAIN_WORDS], method="by_member")
    stablecoin = filters.ChoiceFilter(choices=[(word, word) for word in STABLECOIN_WORDS], method="by_member")
    external_id = filters.CharFilter()
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Policy
        fields: list[str] = []

    def by_member(self, queryset: QuerySet[Policy], name: str, value: str) -> QuerySet[Policy]:
        """Products by their dense ids: an index scan without a join."""
        return queryset.filter(product_id__in=product_numbers(**{name: _MEMBERS[name](value)}))


class PolicyList(GenericAPIView[Policy]):
    """Policies, newest first."""

    queryset = Policy.objects.select_related("product").order_by("-id")
    serializer_class = PolicyOut
    filterset_class = PolicyFilter

    @extend_schema(
        operation_id="policies",
        tags=["policies"],
        responses={200: PolicyOut(many=True), **problem_answers(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """The policies that match, a page at a time."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(PolicyOut(page, many=True).data)

    @extend_schema(
        operation_id="policy_sell",
        tags=["policies"],
        parameters=[_IDEMPOTENCY_KEY],
        request=SaleIn,
        responses={201: PolicyOut, 200: PolicyOut, **problem_answers(400, 409, 422)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Sell cover. 201 for a new policy, 200 for one that was sold before on the same terms, else 409."""
        sale = SaleIn(data=request.data)
        sale.is_valid(raise_exception=True)
        client = client_of(request)
        policy, created = policy_record_sale(
            **sale.validated_data, source=f"api:{client}"[:80], actor=client, now=utc_now()
        )
        if created:
            ring("hedging.orchestrate", "sale")
        return Response(
            PolicyOut(policy).data,
            status=status.HTTP_201_CREATED if created else status.HTTP_200_OK,
            headers={"Location": reverse("policy", args=[policy.external_id])},
        )


class PolicyDetail(APIView):
    """One policy."""

    @extend_schema(
        operation_id="policy",
        tags=["policies"],
        responses={200: PolicyDetailOut, **problem_answers(404)},
    )
    def get(self, request: Request, external_id: str) -> Response:
        """A policy and every step of its life."""
        return Response(PolicyDetailOut(policy_get(external_id)).data)
