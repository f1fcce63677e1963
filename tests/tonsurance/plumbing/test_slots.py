"""Beat slots: one run per stretch of time, however many beats fire."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction

from tonsurance.plumbing.models import JobSlot
from tonsurance.plumbing.slots import SLOTS_KEPT, slot_claim, slot_start

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_a_stretch_is_claimed_once_and_the_next_one_again() -> None:
    assert slot_claim("watch", every_s=30, now=NOON) is True
    assert slot_claim("watch", every_s=30, now=NOON + timedelta(seconds=29)) is False
    assert slot_claim("watch", every_s=30, now=NOON + timedelta(seconds=30)) is True
    assert slot_claim("other", every_s=30, now=NOON) is True


def test_a_slot_begins_at_a_multiple_of_its_length() -> None:
    assert slot_start(300, now=NOON + timedelta(seconds=299)) == NOON
    assert slot_start(7, now=datetime.fromtimestamp(20, tz=UTC)) == datetime.fromtimestamp(14, tz=UTC)


def test_a_run_that_fails_gives_its_slot_back() -> None:
    with transaction.atomic():
        assert slot_claim("watch", every_s=30, now=NOON) is True
        transaction.set_rollback(True)

    assert slot_claim("watch", every_s=30, now=NOON) is True


def test_old_slots_are_dropped_on_the_way() -> None:
    slot_claim("watch", every_s=30, now=NOON)
    slot_claim("watch", every_s=30, now=NOON + timedelta(seconds=30 * (SLOTS_KEPT + 1)))

    assert JobSlot.objects.count() == 1


@pytest.mark.parametrize("every_s", [0, -5])
def test_a_stretch_without_length_is_refused(every_s: int) -> None:
    with pytest.raises(ValueError, match="every_s"):
        slot_claim("watch", every_s=every_s, now=NOON)


@pytest.mark.django_db(transaction=True)
def test_eight_beats_at_once_run_once() -> None:
    won: list[bool] = []
    start = threading.Barrier(8)

    def beat() -> None:
        try:
            start.wait()
            won.append(slot_claim("watch", every_s=30, now=NOON))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False] * 7 + [True]
