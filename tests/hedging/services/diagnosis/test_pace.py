"""An engine that fell silent, a cycle that failed, is stuck, is late or was never run."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from hedging.models import Cycle
from hedging.services.diagnosis.pace import cycle_ask, engine_ask
from hedging.services.engine import HEARTBEAT, Engine
from tests import factories as make
from tests.desk import Desk
from tests.factories import NOW
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.slots import slot_age_s

pytestmark = pytest.mark.django_db


def test_without_an_engine_that_ever_ran_there_is_a_fault(ask):
    assert ask(engine_ask) == {"engine": ("fault", "No engine has ever looked at this book")}


@pytest.mark.parametrize(
    ("ago_s", "level"), [(3, "ok"), (59, "ok"), (60, "warning"), (299, "warning"), (300, "fault")]
)
def test_a_silent_engine_is_told_by_its_last_look(ask, slot, ago_s, level):
    slot(HEARTBEAT, ago_s=ago_s)
    sentence = f"The engine last finished a look {ago_s} s ago (run_engine@host:1)"
    assert ask(engine_ask) == {"engine": (level, sentence)}


@pytest.mark.django_db(transaction=True)
def test_an_engine_at_work_leaves_its_heartbeat(desk: Desk, ask):
    engine = Engine(interval_s=0.05)
    thread = threading.Thread(target=lambda: engine.run(ticks_max=2))
    thread.start()
    thread.join(60)
    assert slot_age_s(HEARTBEAT, now=utc_now()) < 60
    assert ask(engine_ask, now=utc_now())["engine"][0] == "ok"


def ended(ago_s: float, **values) -> Cycle:
    at = NOW - timedelta(seconds=ago_s)
    return make.cycle(as_of=at, finished_at=at, **values)


@pytest.fixture
def trading(db):
    make.config("enabled", True)


def test_a_book_without_a_cycle_is_a_fault(ask, trading):
    assert ask(cycle_ask)["cycle"] == ("fault", "No cycle has ever run")


@pytest.mark.parametrize(("ago_s", "level"), [(300, "ok"), (899, "ok"), (900, "warning"), (3_600, "fault")])
def test_a_late_cycle_is_counted_in_rounds(ask, trading, ago_s, level):
    row = ended(ago_s)
    sentence = f"The last cycle ({row.pk}) ran {ago_s} s ago; one is due every 300 s"
    assert ask(cycle_ask) == {
        "cycle": (level, sentence),
        "trading_enabled": ("ok", "Cycles send orders (enabled = true)"),
    }


def test_a_dry_run_is_no_cycle(ask, trading):
    ended(5, mode="dry_run")
    assert ask(cycle_ask)["cycle"][0] == "fault"


def test_a_failed_cycle_says_its_error(ask, trading):
    row = ended(5, state="failed", error="ZeroDivisionError: division by zero")
    level, sentence = ask(cycle_ask)["cycle"]
    assert (level, sentence) == (
        "fault",
        f"The last cycle ({row.pk}, 5 s ago) failed: ZeroDivisionError: division by zero",
    )


def test_a_cycle_that_does_not_end_is_a_warning(ask, trading):
    ended(60)
    make.cycle(state="running", finished_at=None, as_of=NOW - timedelta(minutes=11))
    assert ask(cycle_ask)["cycle_running"] == ("warning", "A cycle has been running for 11 minutes")


def test_trading_that_is_off_is_a_warning(ask):
    make.config("enabled", False)
    ended(5)
    assert ask(cycle_ask)["trading_enabled"][0] == "warning"
