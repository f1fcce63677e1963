"""What each check says of a book that a test has made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from tests.factories import NOW
from tonsurance.kernel.findings import Finding
from tonsurance.plumbing.models import JobSlot


@pytest.fixture
def ask() -> Callable[..., dict[str, tuple[str, str]]]:
    """Asks a check; returns code -> (level, sentence). A check says each code once."""

    def call(check: Callable[..., Sequence[Finding]], *, now: datetime = NOW) -> dict[str, tuple[str, str]]:
        found = check(now=now)
        said = {item.code: (item.level.value, item.sentence) for item in found}
        assert len(said) == len(found)
        assert all(item.remedy for item in found if item.level.value != "ok")
        return said

    return call


@pytest.fixture
def slot() -> Callable[..., None]:
    """Leaves the trace of a job that ran `ago_s` seconds before NOW."""

    def leave(job: str, *, ago_s: float, by: str = "run_engine@host:1") -> None:
        at = NOW - timedelta(seconds=ago_s)
        JobSlot.objects.create(job=job, slot=at, claimed_by=by, claimed_at=at)

    return leave
