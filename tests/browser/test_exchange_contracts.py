"""The table of exchange contracts and the venue's rate limits in a real Chromium."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests import factories
from tests.browser.test_back_office import CHROMIUM, Visit, visit
from tests.browser.test_wallet_pages import picture
from tests.desk import Desk
from tests.trading import VENUE
from tonsurance.kernel.clock import utc_now
from venues.domain.budgets import BudgetKind
from venues.models import ExchangeContract, VenueLimit
from venues.services.budgets import budget_take
from venues.services.exchanges import exchanges_ensure

__all__ = ["visit"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine; install the package `chromium`"
    ),
]


def test_a_contract_is_retired_and_added_by_buttons(desk: Desk, visit: Visit) -> None:
    factories.venues()
    exchanges_ensure(now=utc_now())
    row = ExchangeContract.objects.get(chain_id=31337, domain_version="2", neg_risk=False)

    visit.open(reverse("admin:venues_exchangecontract_changelist"))
    assert "Practice (31337)" in visit.page.inner_text("body")
    picture(visit, "contracts")
    visit.open(reverse("admin:venues_exchangecontract_change", args=[row.pk]))
    picture(visit, "contract")
    visit.page.get_by_role("link", name="Retire").click()
    visit.page.wait_for_load_state("networkidle")
    visit.page.fill("textarea[name=reason]", "the venue moved")
    visit.page.locator("main form button[type=submit], form button[type=submit]").last.click()
    visit.page.wait_for_load_state("networkidle")
    row.refresh_from_db()
    assert (row.is_active, row.retired_by) == (False, "risk.officer")

    visit.open(reverse("admin:venues_exchangecontract_changelist"))
    visit.page.get_by_role("link", name="Add a contract").click()
    visit.page.wait_for_load_state("networkidle")
    picture(visit, "contract-add")
    visit.page.fill("input[name=chain_id]", "31337")
    visit.page.fill("input[name=contract]", row.contract)
    visit.page.fill("input[name=domain_version]", "2")
    visit.page.select_option("select[name=neg_risk]", "no", force=True)
    visit.page.fill("input[name=market_version]", "v1")
    visit.page.fill("textarea[name=reason]", "announced on the venue's page")
    visit.page.locator("main form button[type=submit], form button[type=submit]").last.click()
    visit.page.wait_for_load_state("networkidle")
    picture(visit, "contract-added")

    assert ExchangeContract.objects.filter(contract=row.contract, is_active=True).count() == 1
    assert visit.faults == []


def test_the_venues_page_shows_its_limits(desk: Desk, visit: Visit) -> None:
    factories.venues()
    budget_take(VENUE, BudgetKind.BATCH, tokens=15)
    VenueLimit.objects.create(
        venue_id=VENUE, bucket="signer orders", tier="standard", noted_at=utc_now(), warned_at=utc_now()
    )

    visit.open(reverse("admin:venues_venue_change", args=[VENUE]))
    body = visit.page.inner_text("body")
    picture(visit, "venue-limits")

    assert "signer orders" in body
    assert "standard" in body
    assert visit.faults == []
