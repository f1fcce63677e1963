"""A claim from filing to settlement, and what is refused on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from policies.models import Claim, Policy, PolicyEvent
from policies.selectors.exposure import exposure_by_product
from policies.services.claims import (
    claim_approve,
    claim_file,
    claim_note_hedges_closed,
    claim_pay,
    claim_reject,
    claim_settle,
)
from policies.services.due import policies_expire_due
from policies.services.policies import policy_cancel
from policies.services.verification import verify_exposure
from tests.policies.conftest import NOW
from tonsurance.kernel.errors import Conflict, Refused

pytestmark = pytest.mark.django_db


def _file(policy: Policy, **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "event_at": NOW,
        "evidence": "three price feeds",
        "actor": "ada",
        "now": NOW,
        "observed_price": Decimal("0.91"),
    }
    return claim_file(policy.pk, **(values | changes))


def _paid(policy: Policy) -> Claim:
    claim = _file(policy)
    claim_approve(claim.pk, reason="feeds agree", actor="bob", now=NOW)
    return claim_pay(claim.pk, payment_reference="wire 1", actor="eve", now=NOW + timedelta(hours=1))


def test_a_claim_goes_from_filed_to_settled(sell: Callable[..., Policy]) -> None:
    policy = sell()

    claim = _paid(policy)

    policy.refresh_from_db()
    assert (policy.status, policy.ended_at) == ("claimed", NOW + timedelta(hours=1))
    assert exposure_by_product() == {}
    claim = claim_note_hedges_closed(claim.pk, recovery_usd=Decimal(40_000), actor="engine", now=NOW)
    claim = claim_settle(claim.pk, actor="ada", now=NOW + timedelta(hours=2))
    policy.refresh_from_db()
    assert policy.status == "settled"
    assert policy.ended_at == NOW + timedelta(hours=1)
    assert (claim.status, claim.amount_usd, claim.hedge_recovery_usd) == (
        "settled",
        Decimal(100_000),
        Decimal(40_000),
    )
    assert (claim.filed_by, claim.decided_by, claim.paid_by, claim.settled_by) == ("ada", "bob", "eve", "ada")
    assert list(PolicyEvent.objects.filter(claim=claim).order_by("id").values_list("kind", "actor")) == [
        ("claim_filed", "ada"),
        ("claim_approved", "bob"),
        ("claim_paid", "eve"),
        ("hedges_closed", "engine"),
        ("settled", "ada"),
    ]
    assert verify_exposure() == []


def test_a_claim_is_not_settled_before_its_hedges_are_closed(sell: Callable[..., Policy]) -> None:
    claim = _paid(sell())

    with pytest.raises(Refused) as caught:
        claim_settle(claim.pk, actor="ada", now=NOW)
    assert caught.value.code == "hedges_open"


def test_hedges_are_noted_closed_once_with_one_sum(sell: Callable[..., Policy]) -> None:
    claim = _paid(sell())
    claim_note_hedges_closed(claim.pk, recovery_usd=Decimal(7), actor="engine", now=NOW)

    again = claim_note_hedges_closed(claim.pk, recovery_usd=Decimal(7), actor="engine", now=NOW)
    assert again.hedge_recovery_usd == Decimal(7)
    assert PolicyEvent.objects.filter(kind="hedges_closed").count() == 1
    with pytest.raises(Conflict, match=r"7\.000000 was noted before, not 8"):
        claim_note_hedges_closed(claim.pk, recovery_usd=Decimal(8), actor="engine", now=NOW)


def test_hedges_are_not_noted_closed_before_the_payment(sell: Callable[..., Policy]) -> None:
    claim = _file(sell())
    with pytest.raises(Refused, match="after the payment"):
        claim_note_hedges_closed(claim.pk, recovery_usd=Decimal(0), actor="engine", now=NOW)


def test_an_event_inside_the_term_may_be_claimed_after_it(sell: Callable[..., Policy]) -> None:
    policy = sell()
    after = NOW + timedelta(days=31)
    policies_expire_due(now=after)

    claim = _file(policy, event_at=NOW + timedelta(days=29), now=after)
    claim_approve(claim.pk, reason="feeds agree", actor="bob", now=after)
    claim_pay(claim.pk, payment_reference="wire", actor="eve", now=after)

    policy.refresh_from_db()
    assert (policy.status, policy.ended_at) == ("claimed", after)
    assert exposure_by_product() == {}
    assert verify_exposure() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_at": NOW + timedelta(seconds=1)}, "event_at"),
        ({"event_at": NOW - timedelta(seconds=1)}, "event_at"),
        ({"amount_usd": Decimal(100_001)}, "amount_usd"),
        ({"amount_usd": Decimal(0)}, "amount_usd"),
        ({"amount_usd": Decimal("NaN")}, "amount_usd"),
        ({"evidence": "  "}, "evidence"),
    ],
)
def test_a_claim_that_cannot_be_is_refused(
    changes: dict[str, Any], field: str, sell: Callable[..., Policy]
) -> None:
    with pytest.raises(Refused) as caught:
        _file(sell(), **changes)
    assert caught.value.field == field
    assert caught.value.remedy
    assert not Claim.objects.exists()


def test_a_cancelled_policy_is_not_claimed_on(sell: Callable[..., Policy]) -> None:
    policy = sell()
    policy_cancel(policy.pk, reason="test", actor="ada", now=NOW)

    with pytest.raises(Refused, match="cancelled cannot be claimed on"):
        _file(policy)


def test_one_claim_at_a_time_and_a_new_one_after_a_rejection(sell: Callable[..., Policy]) -> None:
    policy = sell()
    first = _file(policy)
    with pytest.raises(Conflict) as caught:
        _file(policy)
    assert caught.value.code == "claim_exists"

    claim_reject(first.pk, reason="wrong feed", actor="bob", now=NOW)
    assert _file(policy).status == "filed"


def test_a_depeg_claim_needs_a_price_below_the_trigger_to_be_approved(sell: Callable[..., Policy]) -> None:
    without = _file(sell(external_id="a"), observed_price=None)
    above = _file(sell(external_id="b"), observed_price=Decimal("0.98"))

    for claim in (without, above):
        with pytest.raises(Refused) as caught:
            claim_approve(claim.pk, reason="please", actor="bob", now=NOW)
        assert caught.value.field == "observed_price"


def test_other_covers_are_approved_without_a_price(sell: Callable[..., Policy]) -> None:
    claim = _file(sell(coverage_type="bridge"), observed_price=None)

    assert claim_approve(claim.pk, reason="exploit seen", actor="bob", now=NOW).status == "approved"


@pytest.mark.parametrize(
    "verb",
    [
        lambda pk, now: claim_approve(pk, reason="r", actor="a", now=now),
        lambda pk, now: claim_reject(pk, reason="r", actor="a", now=now),
        lambda pk, now: claim_pay(pk, payment_reference="r", actor="a", now=now),
    ],
)
def test_a_paid_claim_is_neither_decided_nor_paid_again(
    verb: Callable[[int, datetime], Claim], sell: Callable[..., Policy]
) -> None:
    claim = _paid(sell())
    with pytest.raises(Refused) as caught:
        verb(claim.pk, NOW)
    assert caught.value.code == "wrong_status"
    assert exposure_by_product() == {}


def test_verbs_need_their_words_and_a_claim_that_is_there(sell: Callable[..., Policy]) -> None:
    claim = _file(sell())
    with pytest.raises(Refused, match="reason"):
        claim_approve(claim.pk, reason="", actor="a", now=NOW)
    with pytest.raises(Refused, match="payment_reference"):
        claim_pay(claim.pk, payment_reference=" ", actor="a", now=NOW)
    with pytest.raises(Refused, match="no claim 999"):
        claim_approve(999, reason="r", actor="a", now=NOW)
