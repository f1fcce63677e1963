"""The venue's page in a real Chromium: our account, its approvals, and the wallet's acts by their buttons."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.urls import reverse

from hedging.services.redemptions import redemptions_open
from hedging.services.resolutions import resolutions_watch
from tests import trading
from tests.browser.test_back_office import CHROMIUM, Visit, visit
from tests.desk import Desk
from tests.trading import SLUG, VENUE, wait_for
from tonsurance.kernel.clock import utc_now
from venues.models import Instrument, WalletJob
from venues.services.accounts import account_read
from venues.services.wallets import wallet_jobs_advance

__all__ = ["visit"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine; install the package `chromium`"
    ),
]
SHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder to keep pictures of the pages in, for the eye."""


def picture(told: Visit, name: str) -> None:
    if SHOTS:
        told.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_missing_approvals_are_seen_and_granted(desk: Desk, visit: Visit) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    account_read(VENUE, now=utc_now())

    visit.open(reverse("admin:venues_venue_change", args=[VENUE]))
    body = visit.page.inner_text("body")
    assert "17 approvals are missing" in body
    picture(visit, "venue")
    visit.page.get_by_role("link", name="Approve contracts").click()
    visit.page.wait_for_load_state("networkidle")
    assert "Let Exchange V2 take pUSD" in visit.page.inner_text("body")
    picture(visit, "approve")
    visit.page.fill("textarea[name=reason]", "the first day")
    visit.page.locator("main form button[type=submit], form button[type=submit]").last.click()
    visit.page.wait_for_load_state("networkidle")

    assert WalletJob.objects.filter(requested_by="risk.officer", reason="the first day").count() == 17
    wait_for(
        lambda: (
            not (
                wallet_jobs_advance(VENUE, now=utc_now()) and WalletJob.objects.exclude(state="DONE").exists()
            )
        ),
        seconds=40,
    )
    visit.open(reverse("admin:venues_walletjob_changelist"))
    picture(visit, "jobs")
    visit.open(reverse("admin:venues_walletjob_change", args=[WalletJob.objects.earliest("created_at").pk]))
    picture(visit, "job")
    assert "Done" in visit.page.inner_text("body")
    visit.open(reverse("admin:venues_venue_change", args=[VENUE]))
    assert "approvals are missing" not in visit.page.inner_text("body")
    picture(visit, "venue-after")
    assert visit.faults == []


def test_the_answer_of_a_market_and_its_redemption_are_seen(desk: Desk, visit: Visit) -> None:
    trading.map_market(desk)
    trading.configure(**trading.SETTINGS)
    trading.sell("TONS-B1", 5000)
    trading.hedge(desk, bids=[["0.030", "100000"]], asks=[["0.040", "100000"]])
    desk.exchange.post("resolve", slug=SLUG, payout="50-50")
    resolutions_watch(VENUE, now=utc_now())
    redemptions_open(VENUE, now=utc_now())
    trading.settle()
    account_read(VENUE, now=utc_now())

    visit.open(reverse("admin:venues_instrument_change", args=[Instrument.objects.get().pk]))
    body = visit.page.inner_text("body")
    assert "gamma" in body and "50-50" in body and "0.5" in body
    picture(visit, "instrument")
    visit.open(reverse("admin:venues_instrument_changelist"))
    picture(visit, "instruments")
    visit.open(reverse("admin:hedging_order_changelist"))
    picture(visit, "orders")
    visit.open(reverse("admin:hedging_intent_changelist"))
    picture(visit, "intents")
    visit.open(reverse("admin:hedging_fill_changelist"))
    picture(visit, "fills")
    visit.open(reverse("admin:index"))
    picture(visit, "home")
    assert visit.faults == []
