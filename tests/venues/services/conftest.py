"""A streaming process of the test's own, and a way to run it beside the test."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.desk import Desk
from tests.trading import environment
from tonsurance.launch.keeper import Child, Keeper


@pytest.fixture
def stream_process(desk: Desk, keeper: Keeper, tmp_path) -> Callable[[], Child]:
    """Starts `manage.py stream_markets` on this test's database and exchange."""

    def start() -> Child:
        count = len(keeper.children)
        return keeper.spawn(
            f"streams {count}",
            [sys.executable, "manage.py", "stream_markets", "--user"],
            log=tmp_path / f"streams-{count}.log",
            environment=environment(desk, LOG_LEVEL="INFO"),
            stage=2,
            patience_s=10,
        )

    return start
