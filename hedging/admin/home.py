"""The home page: what somebody woken at three in the morning needs, the bad news first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback."""
    return context
