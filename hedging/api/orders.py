"""GET /api/v2/hedges/orders: what was said to the venues, every change of state, every send, every trade.

The signed bytes are never shown: whoever holds them could send them.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from hedging.models import Fill, Order, OrderAttempt, OrderEvent


class OrderOut(serializers.ModelSerializer[Order]):
    """One order."""

    venue = serializers.CharField(source="venue_id", read_only=True)
    instrument = serializers.CharField(source="instrument.instrument_id", read_only=True)
    question = serializers.CharField(source="instrument.question", read_only=True)
    intent = serializers.UUIDField(source="intent_id", read_only=True)
    cycle = serializers.IntegerField(source="intent.cycle_id", read_only=True, allow_null=True)
    purpose = serializers.CharField(source="intent.purpose", read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "client_order_id",
            "venue_order_id",
            "venue",
            "instrument",
            "question",
            "intent",
            "cycle",
            "purpose",
            "generation",
            "side",
            "time_in_force",
            "size",
            "notional_usd",
            "price_limit",
            "fee_usd_max",
            "state",
            "reason",
            "attempts",
            "filled_size",
            "filled_usd",
            "fee_usd",
            "created_at",
            "sent_at",
            "acked_at",
            "updated_at",
        ]
        read_only_fields = fields


class OrderEventOut(serializers.ModelSerializer[OrderEvent]):
    """One change of state; `old` is null at birth."""

    class Meta:
        model = OrderEvent
        fields = ["old", "new", "at", "who", "reason"]
        read_only_fields = fields


class AttemptOut(serializers.ModelSerializer[OrderAttempt]):
    """One time that the bytes may have touched the wire."""

    class Meta:
        model = OrderAttempt
        fields = [
            "attempt_no",
            "worker",
            "started_at",
            "finished_at",
            "outcome",
            "code",
            "http_status",
            "detail",
        ]
        read_only_fields = fields


class FillOut(serializers.ModelSerializer[Fill]):
    """One trade. Held only when `settlement` is confirmed."""

    class Meta:
        model = Fill
        fields = [
            "venue_trade_id",
            "side",
            "size",
            "price",
            "notional_usd",
            "fee_usd",
            "settlement",
            "transaction_hash",
            "matched_at",
            "settled_at",
            "realised_pnl_usd",
        ]
        read_only_fields = fields


class OrderDetailOut(OrderOut):
    """One order with its history."""

    events = OrderEventOut(many=True, read_only=True)
    attempt_rows = AttemptOut(many=True, read_only=True)
    fills = FillOut(many=True, read_only=True)

    class Meta(OrderOut.Meta):
        fields = [*OrderOut.Meta.fields, "events", "attempt_rows", "fills"]
        read_only_fields = fields


_ORDERS = Order.objects.select_related("instrument", "intent").defer("payload", "payload_sha")


@extend_schema_view(get=extend_schema(operation_id="hedge_orders", tags=["hedges"]))
class OrderList(ListAPIView[Order]):
    """Orders, newest first: their ids sort by creation."""

    queryset = _ORDERS.order_by("-id")
    serializer_class = OrderOut
    filterset_fields = ["state", "venue", "side"]


@extend_schema_view(get=extend_schema(operation_id="hedge_order", tags=["hedges"]))
class OrderDetail(RetrieveAPIView[Order]):
    """One order with its events, attempts and fills."""

    queryset = _ORDERS.prefetch_related("events", "attempt_rows", "fills")
    serializer_class = OrderDetailOut
    lookup_url_kwarg = "order_id"
