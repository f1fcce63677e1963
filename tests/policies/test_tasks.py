"""The beat's task: cover begins and ends by the wall's clock, deltas are folded, the hedger hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest

from policies.models import ExposureDelta, Policy
from policies.services.verification import verify_exposure
from policies.tasks import expire
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db


def test_what_is_due_happens_and_the_hedger_is_told_once(sell: Callable[..., Policy]) -> None:
    now = utc_now()
    sell(external_id="over", now=now - timedelta(days=40))
    sell(external_id="begins", now=now - timedelta(days=3), starts_at=now - timedelta(days=1))
    sell(external_id="runs", now=now - timedelta(days=1))

    with patch("policies.tasks.ring") as ring:
        expire()
        expire()

    assert dict(Policy.objects.values_list("external_id", "status")) == {
        "over": "expired",
        "begins": "active",
        "runs": "active",
    }
    assert ExposureDelta.objects.count() == 0
    assert verify_exposure() == []
    assert [call.args for call in ring.call_args_list] == [("hedging.orchestrate", "policies due")]
