"""The table of exchange contracts: read-only rows, two verbs, each with a reason and a name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories as make
from tests.desk import Desk
from venues.models import ExchangeContract
from venues.services.exchanges import exchanges_ensure

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "admin:venues_exchangecontract_changelist"


@pytest.fixture(autouse=True)
def table(desk: Desk) -> None:
    make.venue("polymarket")
    exchanges_ensure(now=make.NOW)


def form(**changes: str) -> dict[str, str]:
    return {
        "venue": "polymarket",
        "chain_id": "31337",
        "contract": "0x3133700000000000000000000000000000000002",
        "domain_name": "Polymarket CTF Exchange",
        "domain_version": "2",
        "neg_risk": "no",
        "market_version": "v1",
        "position_ids": "ctf",
        "reason": "announced on the venue's page",
        **changes,
    }


def test_the_list_shows_what_is_signed_for(officer: Client) -> None:
    html = officer.get(reverse(LIST)).content.decode()

    assert "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa" in html
    assert "Practice (31337)" in html
    assert "Winner-takes-all groups" in html
    assert officer.get(reverse("admin:venues_exchangecontract_add")).status_code == 403


def test_a_contract_is_retired_and_added_again_by_a_person(officer: Client) -> None:
    row = ExchangeContract.objects.get(chain_id=31337, domain_version="2", neg_risk=False)
    retire = reverse("admin:venues_exchangecontract_retire", args=[row.pk])
    add = reverse("admin:venues_exchangecontract_add_contract")

    assert officer.post(retire, {"reason": ""}).status_code == 400
    assert officer.post(retire, {"reason": "the venue moved"}).status_code == 302
    row.refresh_from_db()
    assert (row.is_active, row.retired_by) == (False, "risk.officer")
    assert officer.get(add).status_code == 200
    assert officer.post(add, form()).status_code == 302
    again = ExchangeContract.objects.get(chain_id=31337, domain_version="2", neg_risk=False, is_active=True)
    assert (again.added_by, again.added_because) == ("risk.officer", "announced on the venue's page")


def test_what_the_contract_denies_is_shown_at_its_field_and_nothing_is_added(officer: Client) -> None:
    add = reverse("admin:venues_exchangecontract_add_contract")
    before = ExchangeContract.objects.count()

    answer: Any = officer.post(add, form(domain_version="4"))

    assert answer.status_code == 400
    assert "version &#x27;2&#x27;" in answer.content.decode()
    assert ExchangeContract.objects.count() == before


def test_a_person_who_may_only_look_has_no_verbs(officer: Client) -> None:
    reader = Client()
    reader.force_login(make.staff("venues.view_exchangecontract"))
    row = ExchangeContract.objects.first()
    assert row is not None

    for page in (
        reverse("admin:venues_exchangecontract_add_contract"),
        reverse("admin:venues_exchangecontract_retire", args=[row.pk]),
    ):
        assert reader.post(page, {"reason": "no reason at all"}).status_code in (302, 403)
    row.refresh_from_db()
    assert row.is_active
