"""Switches that stop trading, comparisons that are old or failed, a book that contradicted itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hedging.models import Order
from hedging.selectors.diagnosis import VERIFIED_SOUND, VERIFIED_VIOLATED
from hedging.services.diagnosis.limits import limits_ask
from hedging.services.diagnosis.safety import breakers_ask, reconciliation_ask, verify_ask
from tests import factories as make
from tests.factories import NOW
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db


def bare(statement: str) -> None:
    """What the rules of the database forbid, with its triggers asleep."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_closed_breakers_are_well(ask):
    assert ask(breakers_ask)["breakers"][0] == "ok"


def test_a_breaker_that_stops_everything_is_a_fault_with_its_reason(ask):
    make.breaker(
        state="OPEN", opened_at=NOW - timedelta(minutes=7), reason="withdrawal of the key", latched=True
    )
    assert ask(breakers_ask)["breakers"] == (
        "fault",
        "global: nothing sent for 7 minutes (withdrawal of the key)",
    )


def test_reducing_only_is_a_warning(ask):
    make.breaker(state="OPEN", opened_at=NOW, effect="REDUCE_ONLY", reason="settlements fail")
    level, sentence = ask(breakers_ask)["breakers"]
    assert level == "warning"
    assert sentence.startswith("global: only orders that make positions smaller sent")


def test_a_pause_is_a_warning_and_one_that_nobody_ends_a_fault(ask):
    make.venue()
    make.breaker(
        "venue:polymarket",
        state="OPEN",
        opened_at=NOW,
        reason="pause: restart",
        resume_at=NOW + timedelta(seconds=90),
    )
    assert ask(breakers_ask)["breakers"] == (
        "warning",
        "venue:polymarket: nothing sent for 0 minutes (pause: restart); it closes by itself in 90 s",
    )
    level, sentence = ask(breakers_ask, now=NOW + timedelta(minutes=10))["breakers"]
    assert (level, sentence.rpartition("; ")[2]) == (
        "fault",
        "it should have closed by itself and nobody did it",
    )


def test_a_missing_breaker_is_a_fault(ask):
    bare("DELETE FROM hedging_breaker WHERE scope = 'venue:polymarket'")
    assert ask(breakers_ask)["breakers_missing"] == (
        "fault",
        "There is no breaker for venue:polymarket: nothing is sent there",
    )


def test_a_book_never_compared_is_a_fault_that_says_why(ask):
    assert ask(reconciliation_ask)["reconciliation"] == (
        "fault",
        "The book was never compared with polymarket",
    )
    make.reconciliation_run(finished_at=NOW, error="fills: timed_out")
    assert ask(reconciliation_ask)["reconciliation"][1] == (
        "The book was never compared with polymarket (fills: timed_out)"
    )


@pytest.mark.parametrize(("ago_s", "level"), [(60, "ok"), (300, "warning"), (1_800, "fault")])
def test_an_old_comparison_is_judged_by_its_last_good_one(ask, ago_s, level):
    make.reconciliation_run(finished_at=NOW - timedelta(seconds=ago_s), error="")
    assert ask(reconciliation_ask)["reconciliation"] == (
        level,
        f"The book was last compared with polymarket {ago_s} s ago",
    )
    make.reconciliation_run(finished_at=NOW, error="fills: timed_out")
    assert ask(reconciliation_ask)["reconciliation"] == (
        level,
        f"The book was last compared with polymarket {ago_s} s ago; the newest comparison failed: fills: timed_out",
    )


def test_a_disagreement_is_a_warning_at_first_and_a_fault_when_it_stays(ask):
    make.discrepancy(first_seen_at=NOW, last_seen_at=NOW)
    assert ask(reconciliation_ask, now=NOW + timedelta(minutes=9))["discrepancies"][0] == "warning"
    assert ask(reconciliation_ask, now=NOW + timedelta(minutes=10))["discrepancies"] == (
        "fault",
        "1 disagreements with a venue are open, the oldest for 10 minutes",
    )


def test_an_order_that_is_not_ours_is_a_fault_at_once(ask):
    make.discrepancy(kind="FOREIGN_ORDER", subject="0xabc", first_seen_at=NOW, last_seen_at=NOW)
    assert ask(reconciliation_ask)["discrepancies"] == (
        "fault",
        "1 orders on our account are not ours: somebody else has the key",
    )


def test_a_book_never_verified_is_a_warning(ask, slot):
    assert ask(verify_ask)["verify"] == ("warning", "The book was never found equal to itself")
    slot(VERIFIED_SOUND, ago_s=86_400)
    assert ask(verify_ask)["verify"] == ("warning", "The book was last, 24 h ago, found equal to itself")


def test_of_two_verifies_in_one_second_the_bad_news_counts(ask, slot):
    slot(VERIFIED_SOUND, ago_s=5)
    slot(VERIFIED_VIOLATED, ago_s=5)
    assert ask(verify_ask)["verify"][0] == "fault"


def test_a_verify_leaves_what_it_found(ask):
    call_command("verify")
    assert ask(verify_ask, now=utc_now())["verify"][0] == "ok"

    make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    bare("UPDATE hedging_order SET filled_size = 1")
    assert Order.objects.get().filled_size == 1
    with pytest.raises(CommandError):
        call_command("verify")
    level, sentence = ask(verify_ask, now=utc_now() + timedelta(seconds=2))["verify"]
    assert (level, sentence.partition(", found")[2]) == ("fault", " that the book contradicts itself")


def test_limits_with_room_name_the_fullest(ask):
    make.venue()
    make.risk_bucket("global", "1000")
    make.order(make.intent(make.instrument()), state="UNKNOWN")
    level, sentence = ask(limits_ask)["limits"]
    assert level == "ok"
    assert sentence.endswith("the fullest is global at 8% of $1,000")


@pytest.mark.parametrize(("cap", "level", "share"), [("93", "warning", "90%"), ("84", "fault", "100%")])
def test_a_limit_that_is_nearly_or_quite_used_up_is_told(ask, cap, level, share):
    make.order(make.intent(make.instrument()), state="UNKNOWN")
    make.risk_bucket("global", cap)
    assert ask(limits_ask)["limits"] == (level, f"global: $84.00 at risk of ${cap}.00, {share}")


def test_a_missing_limit_is_a_fault(ask):
    bare("DELETE FROM hedging_riskbucket WHERE code = 'global'")
    assert ask(limits_ask)["limits_missing"] == (
        "fault",
        "There is no limit for global: nothing is bought there",
    )
