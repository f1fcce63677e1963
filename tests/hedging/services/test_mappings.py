"""A mapping's life: approved and declined by persons, suspended by either, resumed where that is safe."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from hedging.models import Intent, Mapping, MappingEvent, Order
from hedging.services.intents import Decision, intents_open
from hedging.services.mappings import (
    mapping_approve,
    mapping_resume,
    mapping_suspend,
    mappings_approve,
    mappings_decline,
)
from tests import factories as make
from tonsurance.kernel.errors import Conflict, Refused
from venues.domain.gateway import Side
from venues.models import Instrument

pytestmark = pytest.mark.django_db
WHO: dict[str, Any] = {"actor": "risk.officer", "now": make.NOW}


@pytest.fixture
def proposal() -> Mapping:
    return make.mapping(
        make.product(), make.instrument(), approved_by="", comparison={"lines": [{"name": "Event"}]}
    )


def alike(of: Mapping, chain: str, **values: Any) -> Mapping:
    """A proposal of the same market for the coin on another chain."""
    told: dict[str, Any] = {"comparison": of.comparison, "read_wording_hash": of.read_wording_hash} | values
    return make.mapping(make.product(chain=chain), of.instrument, approved_by="", **told)


# ------------------------------------------------------------------------------------------- approving
def test_an_approval_keeps_who_when_why_and_the_wording(proposal: Mapping) -> None:
    done = mappings_approve(
        proposal.pk, reason="read with legal", grade="proxy", basis_probability=Decimal("0.6"), **WHO
    )
    proposal.refresh_from_db()
    assert done == [proposal]
    assert (proposal.state, proposal.is_active, proposal.approved_by, proposal.approved_at) == (
        "approved", True, "risk.officer", make.NOW,
    )  # fmt: skip
    assert proposal.approved_wording_hash == proposal.instrument.wording_hash
    assert (proposal.grade, proposal.basis_probability, proposal.reason) == (
        "proxy",
        Decimal("0.6"),
        "read with legal",
    )
    event = MappingEvent.objects.filter(mapping=proposal).first()
    assert event is not None
    assert (event.new, event.who, event.reason, event.grade, event.basis_probability, event.wording_hash) == (
        "approved", "risk.officer", "read with legal", "proxy", Decimal("0.6"), proposal.instrument.wording_hash,
    )  # fmt: skip


def test_an_approval_covers_proposals_that_compare_the_same_and_no_others(proposal: Mapping) -> None:
    same = alike(proposal, "base")
    differs = alike(proposal, "ton", comparison={"lines": []})
    other_wording = alike(proposal, "solana", read_wording_hash="another")
    declined = alike(proposal, "polygon")
    mappings_decline(declined.pk, reason="not on this chain", **WHO)

    done = mappings_approve(proposal.pk, with_same=True, **WHO)

    assert [row.pk for row in done] == [proposal.pk, same.pk]
    states = dict(Mapping.objects.values_list("pk", "state"))
    assert [states[row.pk] for row in (same, differs, other_wording, declined)] == [
        "approved", "proposed", "proposed", "declined",
    ]  # fmt: skip


def test_what_was_read_is_what_is_approved(proposal: Mapping) -> None:
    with pytest.raises(Conflict, match="changed while you read it"):
        mappings_approve(proposal.pk, wording_read="what it said before", **WHO)
    proposal.refresh_from_db()
    assert proposal.state == "proposed"


@pytest.mark.parametrize(
    ("grade", "basis", "field"),
    [
        ("none", "0.5", "grade"),
        ("good", "0.5", "grade"),
        ("proxy", "0", "basis_probability"),
        ("proxy", "1.1", "basis_probability"),
    ],
)
def test_a_judgement_that_is_no_hedge_is_refused(
    proposal: Mapping, grade: str, basis: str, field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        mappings_approve(proposal.pk, grade=grade, basis_probability=Decimal(basis), **WHO)
    assert refusal.value.field == field


# ------------------------------------------------------------------------------------------- declining
def test_a_decline_keeps_its_reason_and_the_wording_it_was_about(proposal: Mapping) -> None:
    mappings_decline(proposal.pk, reason="  other exchange  ", **WHO)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.reason, proposal.changed_by) == (
        "declined",
        "other exchange",
        "risk.officer",
    )
    assert proposal.read_wording_hash == proposal.instrument.wording_hash
    with pytest.raises(Refused, match=r"declined already \(other exchange\)"):
        mappings_decline(proposal.pk, reason="again", **WHO)


def test_a_decline_needs_a_reason(proposal: Mapping) -> None:
    with pytest.raises(Refused, match="say why"):
        mappings_decline(proposal.pk, reason="  ", **WHO)


# ------------------------------------------------------------------------------------------- suspending
def test_a_suspension_withdraws_what_nobody_has_sent() -> None:
    row = make.mapping(make.product(), make.instrument())
    waiting, prepared, sent, sale = (
        make.intent(row.instrument), make.intent(row.instrument), make.intent(row.instrument),
        make.intent(row.instrument, side="SELL", purpose="close"),
    )  # fmt: skip
    aborted, living = make.order(prepared), make.order(sent, state="UNKNOWN")

    mapping_suspend(row.pk, reason="the source is gone", **WHO)

    states = dict(Intent.objects.values_list("pk", "state"))
    assert [states[item.pk] for item in (waiting, prepared, sent, sale)] == [
        "ABANDONED",
        "ABANDONED",
        "OPEN",
        "OPEN",
    ]
    assert Intent.objects.get(pk=waiting.pk).outcome == "the mapping was suspended: the source is gone"
    assert dict(Order.objects.values_list("pk", "state")) == {aborted.pk: "ABORTED", living.pk: "UNKNOWN"}


def test_a_market_that_others_may_still_buy_keeps_its_decisions() -> None:
    row = make.mapping(make.product(), make.instrument())
    make.mapping(make.product(chain="base"), row.instrument)
    intent = make.intent(row.instrument)
    mapping_suspend(row.pk, reason="this chain only", **WHO)
    intent.refresh_from_db()
    assert intent.state == "OPEN"


def test_only_what_is_approved_can_be_suspended(proposal: Mapping) -> None:
    with pytest.raises(Refused, match="it is proposed; only an approved mapping"):
        mapping_suspend(proposal.pk, reason="doubts", **WHO)


# ------------------------------------------------------------------------------------------- resuming
def test_a_person_resumes_what_is_worded_as_it_was() -> None:
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="doubts", **WHO)
    mapping_resume(row.pk, reason="legal is content", **WHO)
    row.refresh_from_db()
    assert (row.state, row.suspended_kind, row.suspended_reason, row.suspended_at, row.reason) == (
        "approved", "", "", None, "legal is content",
    )  # fmt: skip
    assert row.approved_at == make.NOW - timedelta(days=2)


def test_a_market_worded_anew_is_approved_and_not_resumed() -> None:
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="doubts", **WHO)
    row.instrument.wording_hash = "another"
    row.instrument.save()
    with pytest.raises(Refused, match="read it and approve the mapping again"):
        mapping_resume(row.pk, reason="looks fine", **WHO)
    assert mapping_approve(row.pk, **WHO).approved_wording_hash == "another"


def test_a_closed_market_is_not_resumed() -> None:
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="doubts", **WHO)
    row.instrument.closed = True
    row.instrument.save()
    with pytest.raises(Refused, match="is closed"):
        mapping_resume(row.pk, reason="looks fine", **WHO)


def test_the_machine_does_not_lift_what_a_person_suspended() -> None:
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="doubts", **WHO)
    with pytest.raises(Refused, match="needs a person"):
        mapping_resume(row.pk, reason="over", actor="system", now=make.NOW)


def test_what_is_not_suspended_cannot_be_resumed(proposal: Mapping) -> None:
    with pytest.raises(Refused, match="it is proposed, not suspended"):
        mapping_resume(proposal.pk, reason="why not", **WHO)


# ------------------------------------------------------------------------------------------- at the moment of deciding
def decision(to: Instrument, side: Side = Side.BUY) -> Decision:
    return Decision(
        instrument=to, side=side, size=Decimal(100), notional_usd=Decimal(5), price_limit=Decimal("0.05")
    )


def opened(*decisions: Decision) -> list[int]:
    """The instruments of the intents that were written."""
    rows = intents_open(decisions, valid_for=timedelta(minutes=4), actor="tester", now=make.NOW)
    return [row.instrument_id for row in rows]


def test_a_market_that_is_not_mapped_any_more_costs_its_own_purchase_and_no_other() -> None:
    sound, reworded, nobodys = make.instrument(), make.instrument(), make.instrument()
    make.mapping(make.product(), sound)
    make.mapping(make.product(), reworded)
    reworded.wording_hash = "another"
    reworded.save()
    assert opened(decision(reworded), decision(sound), decision(nobodys)) == [sound.pk]


def test_a_sale_is_decided_without_a_mapping() -> None:
    token = make.instrument()
    assert opened(decision(token, Side.SELL)) == [token.pk]


@pytest.mark.django_db(transaction=True)
def test_a_suspension_in_the_making_is_waited_for_and_seen() -> None:
    row = make.mapping(make.product(), make.instrument())
    other = make.mapping(make.product(), make.instrument())
    written: list[int] = []

    def decide() -> None:
        try:
            written.extend(opened(decision(row.instrument), decision(other.instrument)))
        finally:
            connection.close()

    thread = threading.Thread(target=decide)
    with transaction.atomic():
        mapping_suspend(row.pk, reason="doubts", **WHO)
        thread.start()
        time.sleep(0.5)
        assert written == [], "it decided before the suspension was over"
    thread.join(timeout=10)
    assert written == [other.instrument_id]
