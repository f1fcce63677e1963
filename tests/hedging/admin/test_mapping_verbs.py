"""A market is found, judged on one page, approved or declined, and suspended by a person at the back office."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.messages import get_messages
from django.urls import reverse

from hedging.models import Mapping
from hedging.services.discovery import markets_search
from hedging.services.mapping_watch import mappings_watch
from hedging.services.mappings import mapping_suspend
from policies.domain.catalogue import CoverageType
from tests import factories as make
from tests.desk import Desk
from tests.trading import SLUG, configure, sell
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db(transaction=True)
WHY = {"reason": "read the rules with legal"}


def verb(row: Mapping, name: str) -> str:
    return reverse(f"admin:hedging_mapping_{name}", args=[quote(row.pk)])


def told(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def words(response: Any) -> str:
    """The page's words without its tags, blanks run together."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def found(desk: Desk) -> Mapping:
    """USDC on Ethereum, proposed by a search; seven other chains compare the same."""
    desk.book(SLUG, bids=[["0.020", "1000"]], asks=[["0.040", "1000"], ["0.050", "1000"]])
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    return Mapping.objects.get(
        product__chain="ethereum", product__stablecoin="USDC", instrument__slug=SLUG
    )  # fmt: skip


def approval(row: Mapping, **changes: str) -> dict[str, str]:
    return {
        "grade": "direct",
        "basis_probability": "0.9",
        "wording_read": "on",
        "wording_hash": row.instrument.wording_hash,
        **WHY,
    } | changes


def test_a_search_is_asked_for_and_says_what_it_found(desk: Desk, officer) -> None:
    response = officer.post(
        reverse("admin:hedging_mapping_search_markets"), {"coverage": ["oracle", "bridge"]}
    )
    assert response.status_code == 302
    said = told(response)[0]
    assert re.fullmatch(
        r"\d+ markets looked at: 210 mappings proposed, 0 worded anew, 0 known already", said
    ), said
    assert Mapping.objects.filter(state="proposed").count() == 210


def test_the_approval_page_shows_all_that_it_rests_on(desk: Desk, officer, found: Mapping) -> None:
    configure(venueShares={"polymarket": "1", "binance_futures": "0", "allianz": "0"}, maxSlippageBps=10000)
    sell("P-1", 1_000)
    page = words(officer.get(verb(found, "approve")))
    # The wording, whole.
    assert "USDC depeg by December 31, 2027?" in page
    assert "every 1-minute candle for USDC/USD has a final &quot;High&quot; price below $0.98" in page
    # The comparison, line by line.
    assert "Threshold below $0.98 below $0.98 Same" in page
    assert "Window for 24 hours without a break for 24 hours without a break Same" in page
    assert "Suggested: direct, pays in 100 % of insured events." in page
    # The live book with its age, and what the product's hedge would cost now: 20 % of $1,000, cut by the cover.
    assert "Read just now" in page
    assert "Hedge required here $200.00" in page
    assert "Would buy now 1,000 units, stopped by: size" in page
    assert "7 more proposals of this market compare the same." in page
    assert found.instrument.books.count() == 1


def test_an_approval_by_own_judgement_covers_what_compares_the_same(
    desk: Desk, officer, found: Mapping
) -> None:
    response = officer.post(verb(found, "approve"), approval(found, with_same="on"))
    assert response.status_code == 302, words(response)
    assert "and 7 that compare the same" in told(response)[0]
    rows = Mapping.objects.filter(state="approved")
    assert rows.count() == 8
    assert {(row.grade, str(row.basis_probability.normalize()), row.approved_by) for row in rows} == {
        ("direct", "0.9", "risk.officer")
    }


def test_a_wording_changed_while_it_was_read_is_not_approved(desk: Desk, officer, found: Mapping) -> None:
    desk.exchange.post(
        "market", slug=SLUG, description='It resolves to "No" if USDC trades below $0.98 for 24 hours.'
    )
    response = officer.post(verb(found, "approve"), approval(found))
    page = words(response)
    assert response.status_code == 400
    assert "changed while you read it; read it again" in page
    assert "no hedge: its question and its rules name opposite outcomes for the event." in page
    found.refresh_from_db()
    assert found.state == "proposed"


def test_silence_of_the_venue_is_said_on_the_page(officer) -> None:
    row = make.mapping(make.product(), make.instrument(), approved_by="")
    assert "The venue did not answer" in words(officer.get(verb(row, "approve")))


def test_a_decline_says_so_and_keeps_the_reason(desk: Desk, officer, found: Mapping) -> None:
    response = officer.post(verb(found, "decline"), WHY | {"with_same": "on"})
    assert told(response) == ["Declined: 8 mappings of “USDC depeg by December 31, 2027? · Yes”"]
    found.refresh_from_db()
    assert (found.state, found.reason, found.changed_by) == ("declined", WHY["reason"], "risk.officer")


def test_a_suspended_mapping_says_why_and_is_resumed_by_name(officer) -> None:
    row = make.mapping(make.product(), make.instrument())
    mapping_suspend(row.pk, reason="the source is doubtful", actor="risk.officer", now=make.NOW)
    page = words(officer.get(reverse("admin:hedging_mapping_change", args=[row.pk])))
    assert "Nothing is bought through this mapping: the source is doubtful. What is held may be sold." in page
    home = words(officer.get(reverse("admin:index")))
    assert "1 mapping suspended until a person looks" in home
    assert "Mappings approved 0 1 suspended; no proposal waiting for a person" in home

    assert officer.post(verb(row, "resume"), WHY).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.reason) == ("approved", WHY["reason"])
    assert "suspended until a person looks" not in words(officer.get(reverse("admin:index")))


def test_the_page_of_a_mapping_shows_its_history(desk: Desk, officer, found: Mapping) -> None:
    officer.post(verb(found, "approve"), approval(found))
    desk.exchange.post("market", slug=SLUG, description="Other rules.")
    mappings_watch(now=utc_now() + timedelta(minutes=5))
    page = words(officer.get(reverse("admin:hedging_mapping_change", args=[found.pk])))
    assert "Approved Suspended system" in page
    assert "risk.officer read the rules with legal Direct" in page
    assert "not worded as they were when they were approved" in page


def test_the_list_shows_what_waits(desk: Desk, officer, found: Mapping) -> None:
    page = words(officer.get(reverse("admin:hedging_mapping_changelist") + "?state__exact=proposed"))
    assert "Depeg · Ethereum · USDC" in page
    assert "Proposed" in page
