"""A policy's life in steps: its events, and before them the import that brought it, which is told once per
file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.domain.coverage import EventKind
from policies.models import Policy, PolicyImport

IMPORT_SOURCE = "import:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What happened, when, by whom."""

    kind: str
    at: datetime
    actor: str
    detail: dict[str, Any]


def policy_history(policy: Policy) -> list[Step]:
    """Every step of `policy`, the first one first; one query, two for an imported policy."""
    steps = [
        Step(kind=event.kind, at=event.at, actor=event.actor, detail=event.detail)
        for event in policy.events.all()
    ]
    if not policy.source.startswith(IMPORT_SOURCE):
        return steps
    brought = PolicyImport.objects.defer("content", "report").get(
        pk=policy.source.removeprefix(IMPORT_SOURCE)
    )
    detail = {"import": brought.pk, "file": brought.file_name}
    first = Step(kind=EventKind.IMPORTED.value, at=policy.created_at, actor=brought.actor, detail=detail)
    return [first, *steps]
