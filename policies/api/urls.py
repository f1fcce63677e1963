"""The addresses of the promises' API, below /api/v2/."""

from __future__ import annotations

from django.urls import path

from policies.api.policies import PolicyDetail, PolicyList
from policies.api.products import ExposureView, ProductList
from policies.api.quotes import QuoteView

urlpatterns = [
    path("policies", PolicyList.as_view(), name="policies"),
    path("policies/<str:external_id>", PolicyDetail.as_view(), name="policy"),
    path("quote/multi-dimensional", QuoteView.as_view(), name="quote"),
    path("products", ProductList.as_view(), name="products"),
    path("exposure", ExposureView.as_view(), name="exposure"),
]
