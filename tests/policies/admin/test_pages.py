"""The promises' pages: they open, in a number of queries that does not grow with the rows, and nothing is
editable
that is book.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from policies.models import OnchainId, Policy, Product, RateFactor
from policies.services.claims import claim_file
from policies.services.exposure import exposure_fold
from policies.services.intake import import_preview
from tests.policies.conftest import NOW

pytestmark = pytest.mark.django_db
LISTS = [
    "/admin/policies/product/",
    "/admin/policies/policy/",
    "/admin/policies/claim/",
    "/admin/policies/exposure/",
    "/admin/policies/policyimport/",
    "/admin/policies/ratefactor/",
    "/admin/policies/onchainid/",
]


def _book(sell: Callable[..., Policy], *, first: int, count: int) -> None:
    chains = ("ethereum", "base", "ton")
    for number in range(first, first + count):
        policy = sell(external_id=f"p-{number}", chain=chains[number % 3])
        claim_file(policy.pk, event_at=NOW, evidence="feed", actor="ada", now=NOW)
    import_preview(_csv(first), file_name=f"{first}.csv", actor="ada", now=NOW)


def _csv(number: int) -> bytes:
    return (
        "external_id,holder,coverage_type,chain,stablecoin,coverage_usd,premium_usd,starts_at,expires_at\n"
        f"f-{number},h,depeg,ethereum,USDC,1000,1,2026-11-20,2026-12-20\n"
        f"f-{number},h,quake,ethereum,USDC,1000,1,2026-11-20,2026-12-20\n"
    ).encode()


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    address: str, desk: Client, sell: Callable[..., Policy], django_assert_max_num_queries: Any
) -> None:
    _book(sell, first=0, count=2)
    desk.get(address)
    with CaptureQueriesContext(connection) as few:
        assert desk.get(address).status_code == 200
    _book(sell, first=2, count=10)
    with CaptureQueriesContext(connection) as many:
        assert desk.get(address).status_code == 200

    assert len(many) == len(few) <= 12


def test_every_row_has_a_page(desk: Client, sell: Callable[..., Policy]) -> None:
    policy = sell()
    claim = claim_file(policy.pk, event_at=NOW, evidence="feed", actor="ada", now=NOW)
    record = import_preview(_csv(1), file_name="a.csv", actor="ada", now=NOW)
    pages = [
        "product/0",
        "product/0/history",
        f"policy/{policy.pk}",
        f"claim/{claim.pk}",
        f"policyimport/{record.pk}",
        "policyimport/upload",
        f"ratefactor/{RateFactor.objects.first().pk}",  # type: ignore[union-attr]
        f"onchainid/{OnchainId.objects.first().pk}",  # type: ignore[union-attr]
        "exposure/0",
    ]
    for page in pages:
        address = (
            f"/admin/policies/{page}/change/"
            if page.count("/") == 1 and page[-1].isdigit()
            else f"/admin/policies/{page}/"
        )
        assert desk.get(address).status_code == 200, address


@pytest.mark.parametrize("model", ["policy", "claim", "exposure", "policyimport"])
def test_rows_of_the_book_are_not_added_changed_or_deleted_by_form(
    model: str, desk: Client, sell: Callable[..., Policy]
) -> None:
    policy = sell()
    claim = claim_file(policy.pk, event_at=NOW, evidence="feed", actor="ada", now=NOW)
    record = import_preview(_csv(1), file_name="a.csv", actor="ada", now=NOW)
    row = {"policy": policy.pk, "claim": claim.pk, "exposure": 0, "policyimport": record.pk}[model]

    assert desk.get(f"/admin/policies/{model}/add/").status_code == 403
    assert desk.post(f"/admin/policies/{model}/{row}/change/", {"status": "expired"}).status_code == 403
    assert desk.post(f"/admin/policies/{model}/{row}/delete/", {"post": "yes"}).status_code == 403


def test_dollars_are_shown_with_separators_and_states_in_words(
    desk: Client, sell: Callable[..., Policy]
) -> None:
    sell()

    page = desk.get("/admin/policies/policy/").content.decode()

    assert "$100,000.00" in page
    assert "Active" in page
    assert "Depeg · Ethereum · USDC" in page


def test_a_policy_is_found_by_how_its_id_begins(desk: Client, sell: Callable[..., Policy]) -> None:
    sell(external_id="alpha-1")
    sell(external_id="beta-1")

    page = desk.get("/admin/policies/policy/", {"q": "alpha"}).content.decode()

    assert "alpha-1" in page
    assert "beta-1" not in page


def test_exposure_shows_what_is_not_folded_yet_and_proves_itself(
    desk: Client, sell: Callable[..., Policy]
) -> None:
    sell(external_id="a")
    exposure_fold(now=NOW)
    sell(external_id="b")

    page = desk.get("/admin/policies/exposure/", {"in_force": "yes"}).content.decode()
    assert "$200,000.00" in page
    assert "1 of 560" in page

    told = desk.get("/admin/policies/exposure/verify/", follow=True).content.decode()
    assert "equals the sum of the policies in force" in told


def test_editing_a_product_keeps_its_history_with_the_person(desk: Client) -> None:
    product = Product.objects.get(pk=0)
    form = {
        "life": "paused",
        "base_rate": "0.009",
        "coverage_usd_min": "100",
        "coverage_usd_max": "5000000",
        "exposure_usd_max": "",
        "hedge_ratio": "0.25",
        "sizing_mode": "PAYOUT",
    }

    answer = desk.post("/admin/policies/product/0/change/", form)

    assert answer.status_code == 302, answer.context and answer.context["errors"]
    product.refresh_from_db()
    assert (product.life, str(product.hedge_ratio), product.sizing_mode) == ("paused", "0.250000", "PAYOUT")
    entry = product.history.first()
    assert (entry.history_user.username, str(entry.base_rate)) == ("ada", "0.009000")


def test_a_product_tells_what_it_costs_now(desk: Client) -> None:
    page = desk.get("/admin/policies/product/0/change/").content.decode()

    assert "0.8 % a year" in page
    assert "$65.75 for $100,000.00 over 30 days" in page


def test_an_invalid_product_cannot_be_activated(desk: Client) -> None:
    invalid = Product.objects.filter(is_valid=False).order_by("pk").first()
    assert invalid is not None
    chosen = {"action": "activate", "_selected_action": [str(invalid.pk)]}
    desk.post("/admin/policies/product/", chosen)
    invalid.refresh_from_db()
    assert invalid.life == "retired"

    form = {
        "life": "active",
        "base_rate": "0.015",
        "coverage_usd_min": "100",
        "coverage_usd_max": "5000000",
        "hedge_ratio": "0.2",
        "sizing_mode": "BUDGET",
    }
    answer = desk.post(f"/admin/policies/product/{invalid.pk}/change/", form)
    assert answer.status_code == 200
    invalid.refresh_from_db()
    assert invalid.life == "retired"


def test_pausing_a_selection_is_written_into_each_history(desk: Client) -> None:
    chosen = {"action": "pause", "_selected_action": ["0", "1", "2"]}

    desk.post("/admin/policies/product/", chosen)

    assert list(Product.objects.filter(life="paused").values_list("pk", flat=True)) == [0, 1, 2]
    entries = [product.history.first() for product in Product.objects.filter(life="paused")]
    assert {entry.history_user.username for entry in entries} == {"ada"}
