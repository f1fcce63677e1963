"""What the database refuses about answers and the wallet's acts, past every layer of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories as make
from tests.hedging.models.refusals import refused, sql
from tonsurance.kernel.clock import utc_now
from venues.models import Resolution, ResolutionWord, WalletJob

pytestmark = pytest.mark.django_db


def answer(**values: Any) -> Resolution:
    return Resolution.objects.create(instrument=make.instrument(), checked_at=utc_now(), **values)


def final(payout: str = "1") -> Resolution:
    return answer(state="resolved", payout=payout, resolved_at=utc_now())


def job(state: str = "WAITING", **values: Any) -> WalletJob:
    row = WalletJob.objects.create(
        **{
            "venue": make.venue(),
            "kind": "approve",
            "title": "Let somebody take something",
            "lines": [],
            "calls": [],
            "requested_by": "treasurer",
            "reason": "the first day",
            "created_at": utc_now(),
            **values,
        }
    )
    walk = {
        "WAITING": [],
        "PREPARED": ["PREPARED"],
        "SENDING": ["PREPARED", "SENDING"],
        "UNKNOWN": ["PREPARED", "SENDING", "UNKNOWN"],
        "DONE": ["PREPARED", "SENDING", "UNKNOWN", "DONE"],
    }
    for word in walk[state]:
        move(row, word)
    return row


def move(row: WalletJob, to: str) -> None:
    sent = int(to == "SENDING")
    named = f", name = 'tx:{row.pk}', payload = 'bytes'" if to == "PREPARED" else ""
    sql(
        f"UPDATE venues_walletjob SET state = %s, attempts = attempts + %s{named} WHERE id = %s",
        to,
        sent,
        row.pk,
    )


# ------------------------------------------------------------------------------------------------- answers
@pytest.mark.parametrize("change", ["payout = 0", "state = 'open', payout = NULL, resolved_at = NULL"])
def test_a_final_answer_stays(change: str) -> None:
    row = final()
    with refused("VN001"):
        sql(f"UPDATE venues_resolution SET {change} WHERE instrument_id = %s", row.pk)


def test_a_final_answer_may_be_asked_about_again() -> None:
    row = final("0.5")
    sql("UPDATE venues_resolution SET checked_at = now(), conflict = 'odd' WHERE instrument_id = %s", row.pk)
    row.refresh_from_db()
    assert row.conflict == "odd"


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"state": "resolved"}, "resolution_paid_when_final"),
        ({"state": "proposed", "payout": "1"}, "resolution_paid_when_final"),
        ({"state": "resolved", "payout": "1.1", "resolved_at": utc_now()}, "resolution_payout_within_one"),
        ({"state": "resolved", "payout": "-0.1", "resolved_at": utc_now()}, "resolution_payout_within_one"),
        ({"state": "perhaps"}, "resolution_state_known"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(values: dict[str, Any], rule: str) -> None:
    with refused(rule):
        answer(**values)


@pytest.mark.parametrize(
    "statement", ["UPDATE venues_resolutionword SET words = ''", "DELETE FROM venues_resolutionword"]
)
def test_what_was_heard_is_never_changed(statement: str) -> None:
    ResolutionWord.objects.create(
        instrument=make.instrument(), source="gamma", state="open", words="closed False", heard_at=utc_now()
    )
    with refused("VN070"):
        sql(statement)


# ------------------------------------------------------------------------------------------------- the wallet's acts
def test_a_job_walks_its_way_and_every_step_is_kept() -> None:
    row = job("DONE")
    assert [event.new for event in row.events.all()] == ["PREPARED", "SENDING", "UNKNOWN", "DONE"]


@pytest.mark.parametrize(
    ("state", "to"),
    [("WAITING", "SENDING"), ("PREPARED", "DONE"), ("UNKNOWN", "ABORTED"), ("DONE", "SENDING")],
)
def test_no_other_move_is_made(state: str, to: str) -> None:
    row = job(state)
    with refused("VN012"):
        move(row, to)


@pytest.mark.parametrize("change", ["calls = '[[]]'", "reason = 'another'", "requested_by = 'nobody'"])
def test_what_was_ordered_stays_ordered(change: str) -> None:
    row = job()
    with refused("VN010"):
        sql(f"UPDATE venues_walletjob SET {change} WHERE id = %s", row.pk)


@pytest.mark.parametrize("change", ["payload = 'others'", "name = 'tx:other'", "fence_at = now()"])
def test_signed_bytes_stay(change: str) -> None:
    row = job("PREPARED")
    with refused("VN011"):
        sql(f"UPDATE venues_walletjob SET {change} WHERE id = %s", row.pk)


def test_each_send_is_counted() -> None:
    row = job("PREPARED")
    with refused("VN013"):
        sql("UPDATE venues_walletjob SET state = 'SENDING' WHERE id = %s", row.pk)


def test_a_no_to_a_second_send_is_no_end() -> None:
    row = job("UNKNOWN")
    move(row, "SENDING")
    with refused("VN014"):
        move(row, "REJECTED")


@pytest.mark.parametrize("statement", ["DELETE FROM venues_walletjobevent", "DELETE FROM venues_walletjob"])
def test_history_stays(statement: str) -> None:
    job("PREPARED")
    with refused("VN070"):
        sql(statement)


def test_one_act_is_on_its_way() -> None:
    job("UNKNOWN")
    second = job()
    with refused("walletjob_one_on_its_way"):
        move(second, "PREPARED")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"reason": ""}, "walletjob_has_a_reason"),
        ({"state": "PREPARED"}, "walletjob_named_when_signed"),
        ({"state": "LOST", "name": "x"}, "walletjob_state_known"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused(values: dict[str, Any], rule: str) -> None:
    stated = {"kind": "wrap", "title": "t", "lines": [], "calls": [], "requested_by": "a", "reason": "b"}
    with refused(rule):
        WalletJob.objects.create(venue=make.venue(), created_at=utc_now(), **{**stated, **values})


def test_the_same_bytes_are_one_job() -> None:
    first = job("DONE")
    name = sql("SELECT name FROM venues_walletjob WHERE id = %s", first.pk)[0][0]
    with refused("walletjob_bytes_never_reused"):
        job(name=str(name))
