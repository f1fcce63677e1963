"""The addresses of the book's API, below /api/v2/."""

from __future__ import annotations

from django.urls import path

from hedging.api.cycles import CycleDetail, CycleList
from hedging.api.health import Health
from hedging.api.orders import OrderDetail, OrderList
from hedging.api.positions import PositionList
from hedging.api.report import Report

urlpatterns = [
    path("health/", Health.as_view(), name="health"),
    path("hedges/positions", PositionList.as_view(), name="hedge-positions"),
    path("hedges/cycles", CycleList.as_view(), name="hedge-cycles"),
    path("hedges/cycles/<int:cycle_id>", CycleDetail.as_view(), name="hedge-cycle"),
    path("hedges/orders", OrderList.as_view(), name="hedge-orders"),
    path("hedges/orders/<uuid:order_id>", OrderDetail.as_view(), name="hedge-order"),
    path("hedges/report", Report.as_view(), name="hedge-report"),
]
