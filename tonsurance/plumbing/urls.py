"""The addresses that machines ask about the process itself."""

from __future__ import annotations

from django.urls import path

from tonsurance.plumbing.pages import healthz, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
