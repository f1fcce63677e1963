"""GET /api/v2/health/: what the doctor finds now, without asking a venue, for monitoring. Needs the scope `ops`.

`/healthz` and `/readyz` answer without a key whether the process lives and can work (tonsurance/plumbing/pages.py).
"""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tonsurance.kernel.clock import monotonic_s
from tonsurance.kernel.findings import Level
from tonsurance.plumbing.checkups import Diagnosis, checkup_run
from tonsurance.plumbing.models.keys import Scope
from tonsurance.plumbing.words import choices

# Several monitors that ask at once, or one that asks too often, get the same answer.
KEPT_S = 10.0
_lock = threading.Lock()
_kept: tuple[float, Diagnosis] | None = None


class FindingOut(serializers.Serializer[Any]):
    """One answer of a check."""

    level = serializers.ChoiceField(choices=choices(Level))
    code = serializers.CharField(help_text="Never changes its meaning.")
    sentence = serializers.CharField()
    remedy = serializers.CharField(allow_blank=True, help_text="What to do; empty for good news.")
    runbook = serializers.CharField(allow_blank=True, help_text="A page of the documentation.")


class CheckOut(serializers.Serializer[Any]):
    """One check."""

    name = serializers.CharField()
    group = serializers.CharField()
    skipped = serializers.CharField(allow_blank=True, help_text="Why it was not asked.")
    took_ms = serializers.IntegerField()
    findings = FindingOut(many=True)


class HealthOut(serializers.Serializer[Any]):
    """One run of the quick checks; `level` is the worst of all findings."""

    level = serializers.ChoiceField(choices=choices(Level))
    started_at = serializers.DateTimeField()
    took_ms = serializers.IntegerField()
    is_quick = serializers.BooleanField()
    faults = serializers.IntegerField()
    warnings = serializers.IntegerField()
    checks = CheckOut(many=True)


class Health(APIView):
    """The doctor's findings."""

    scope_by_method: ClassVar[dict[str, Scope]] = {"GET": Scope.OPS, "HEAD": Scope.OPS}

    @extend_schema(operation_id="health", tags=["operations"], responses=HealthOut)
    def get(self, _request: Request) -> Response:
        """Every quick check, asked at most every ten seconds. Always 200: a fault is an answer, read `level`."""
        return Response(_asked().as_json())


def _asked() -> Diagnosis:
    global _kept
    with _lock:
        if _kept is None or monotonic_s() - _kept[0] >= KEPT_S:
            diagnosis = checkup_run(is_quick=True)
            _kept = (monotonic_s(), diagnosis)
        return _kept[1]
