"""The verbs of policies, claims and imports: GET changes nothing, POST calls one service, permissions
count.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from policies.models import Claim, Policy, PolicyEvent, PolicyImport
from policies.services.claims import claim_file, claim_note_hedges_closed
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(sell: Callable[..., Policy]) -> Policy:
    """A policy in force at the wall's time, since the pages ask the clock."""
    return sell(now=utc_now() - timedelta(hours=1))


def test_a_policy_is_cancelled_with_a_reason_by_the_person(desk: Client, policy: Policy) -> None:
    address = f"/admin/policies/policy/{policy.pk}/cancel/"
    assert desk.get(address).status_code == 200
    policy.refresh_from_db()
    assert policy.status == "active"

    answer = desk.post(address, {"reason": "the holder asked for it"})

    assert answer.status_code == 302
    policy.refresh_from_db()
    assert policy.status == "cancelled"
    event = PolicyEvent.objects.get(kind="cancelled")
    assert (event.actor, event.detail) == ("ada", {"reason": "the holder asked for it"})


def test_no_reason_no_cancellation(desk: Client, policy: Policy) -> None:
    answer = desk.post(f"/admin/policies/policy/{policy.pk}/cancel/", {"reason": ""})

    assert answer.status_code == 400
    policy.refresh_from_db()
    assert policy.status == "active"


@pytest.mark.parametrize(("verb", "codename"), [("cancel", "cancel_policy"), ("claim", "add_claim")])
def test_a_policys_verb_needs_its_permission(
    verb: str, codename: str, person_with: Callable[..., Client], policy: Policy
) -> None:
    address = f"/admin/policies/policy/{policy.pk}/{verb}/"

    assert person_with("view_policy", name="reader").get(address).status_code == 403
    assert person_with("view_policy", codename, name="doer").get(address).status_code == 200


def test_a_page_offers_only_the_verbs_that_the_status_allows(desk: Client, policy: Policy) -> None:
    page = desk.get(f"/admin/policies/policy/{policy.pk}/change/").content.decode()
    assert f"/{policy.pk}/cancel/" in page
    assert f"/{policy.pk}/claim/" in page

    desk.post(f"/admin/policies/policy/{policy.pk}/cancel/", {"reason": "the holder asked"})

    page = desk.get(f"/admin/policies/policy/{policy.pk}/change/").content.decode()
    assert f"/{policy.pk}/cancel/" not in page
    assert f"/{policy.pk}/claim/" not in page


def test_a_claim_goes_from_filed_to_settled_by_its_verbs(desk: Client, policy: Policy) -> None:
    happened = utc_now() - timedelta(minutes=5)
    form = {
        "event_at": f"{happened:%Y-%m-%d %H:%M:%S}",
        "amount_usd": "",
        "observed_price": "0.91",
        "evidence": "three price feeds over 24 hours",
    }
    assert desk.post(f"/admin/policies/policy/{policy.pk}/claim/", form).status_code == 302
    claim = Claim.objects.get()
    assert (claim.status, claim.amount_usd, claim.filed_by) == ("filed", policy.coverage_usd, "ada")

    base = f"/admin/policies/claim/{claim.pk}"
    assert desk.post(f"{base}/approve/", {"reason": "the feeds agree"}).status_code == 302
    with patch("tonsurance.plumbing.bells._send", return_value=True):
        assert desk.post(f"{base}/pay/", {"payment_reference": "wire 4711"}).status_code == 302
    policy.refresh_from_db()
    assert policy.status == "claimed"

    too_early = desk.post(f"{base}/settle/", {})
    assert too_early.status_code == 400
    assert "hedges are still open" in too_early.content.decode()

    claim_note_hedges_closed(claim.pk, recovery_usd=policy.coverage_usd, actor="engine", now=utc_now())
    assert desk.post(f"{base}/settle/", {}).status_code == 302
    claim.refresh_from_db()
    policy.refresh_from_db()
    assert (claim.status, claim.payment_reference, policy.status) == ("settled", "wire 4711", "settled")


def test_a_claim_without_a_price_below_the_trigger_is_not_approved(desk: Client, policy: Policy) -> None:
    claim = claim_file(policy.pk, event_at=utc_now(), evidence="feed", actor="bob", now=utc_now())

    answer = desk.post(f"/admin/policies/claim/{claim.pk}/approve/", {"reason": "looks good"})

    assert answer.status_code == 400
    assert "needs the price" in answer.content.decode()
    claim.refresh_from_db()
    assert claim.status == "filed"


@pytest.mark.parametrize(
    ("verb", "codename"), [("approve", "decide_claim"), ("reject", "decide_claim"), ("pay", "pay_claim")]
)
def test_a_claims_verb_needs_its_permission(
    verb: str, codename: str, person_with: Callable[..., Client], policy: Policy
) -> None:
    claim = claim_file(policy.pk, event_at=utc_now(), evidence="feed", actor="bob", now=utc_now())
    address = f"/admin/policies/claim/{claim.pk}/{verb}/"

    assert person_with("view_claim", name="reader").get(address).status_code == 403
    assert person_with("view_claim", codename, name="doer").get(address).status_code == 200


HEADING = "external_id,holder,coverage_type,chain,stablecoin,coverage_usd,premium_usd,starts_at,expires_at"


def _upload(desk: Client, *rows: str, heading: str = HEADING) -> Any:
    content = "\n".join([heading, *rows, ""]).encode()
    file = SimpleUploadedFile("book.csv", content, content_type="text/csv")
    return desk.post("/admin/policies/policyimport/upload/", {"file": file})


def _row(external_id: str, coverage: str = "1000") -> str:
    now = utc_now()
    term = f"{now - timedelta(days=1):%Y-%m-%d},{now + timedelta(days=20):%Y-%m-%d}"
    return f"{external_id},0xh,depeg,ethereum,USDC,{coverage},1.00,{term}"


def test_an_uploaded_file_is_previewed_and_imported_when_a_person_says_so(desk: Client) -> None:
    answer = _upload(desk, _row("a"), _row("b"))
    record = PolicyImport.objects.get()
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/admin/policies/policyimport/{record.pk}/change/",
    )
    preview = desk.get(answer["Location"]).content.decode()
    assert "$2,000.00" in preview
    assert f"/{record.pk}/confirm/" in preview
    assert f"/{record.pk}/confirm-good/" not in preview
    assert not Policy.objects.exists()

    with patch("tonsurance.plumbing.bells._send", return_value=True):
        assert desk.post(f"/admin/policies/policyimport/{record.pk}/confirm/").status_code == 302

    assert sorted(Policy.objects.values_list("external_id", "source")) == [
        ("a", f"import:{record.pk}"),
        ("b", f"import:{record.pk}"),
    ]


def test_a_file_with_bad_rows_shows_them_and_offers_the_good_ones_only(desk: Client) -> None:
    answer = _upload(desk, _row("a"), _row("b", coverage="0"), "broken,row")
    record = PolicyImport.objects.get()
    preview = desk.get(answer["Location"]).content.decode()
    assert "2 of 3 rows are bad" in preview
    assert "coverage_usd is outside the product&#x27;s limits" in preview
    assert "has 2 fields, the heading has 9" in preview
    assert f"/{record.pk}/confirm/" not in preview

    refused = desk.post(f"/admin/policies/policyimport/{record.pk}/confirm/")
    assert refused.status_code == 400
    assert not Policy.objects.exists()

    with patch("tonsurance.plumbing.bells._send", return_value=True):
        desk.post(f"/admin/policies/policyimport/{record.pk}/confirm-good/")
    assert list(Policy.objects.values_list("external_id", flat=True)) == ["a"]


def test_a_file_that_is_no_table_of_policies_is_refused_on_the_page(desk: Client) -> None:
    answer = _upload(desk, "1,2", heading="id,amount")

    assert answer.status_code == 400
    assert "unknown column" in answer.content.decode()
    assert not PolicyImport.objects.exists()


def test_a_discarded_file_cannot_be_imported(desk: Client) -> None:
    _upload(desk, _row("a"))
    record = PolicyImport.objects.get()

    desk.post(f"/admin/policies/policyimport/{record.pk}/discard/")

    assert desk.post(f"/admin/policies/policyimport/{record.pk}/confirm/").status_code == 400
    assert not Policy.objects.exists()


def test_uploading_needs_the_permission(person_with: Callable[..., Client]) -> None:
    address = "/admin/policies/policyimport/upload/"

    assert person_with("view_policyimport", name="reader").get(address).status_code == 403
    assert person_with("import_policy", name="doer").get(address).status_code == 200
