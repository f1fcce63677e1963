"""The back office in a real Chromium: the pages of the book, whole, with nothing fetched from outside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from tests import factories

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSWORD = "a long practice password"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine; install the package `chromium`"
    ),
]


class Visit:
    """One signed-in browser page that remembers what went wrong on it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base, self.faults = page, base, list[str]()
        page.on("console", lambda told: self.faults.append(told.text) if told.type == "error" else None)
        page.on("response", self._look)
        page.on("request", self._where)

    def open(self, path: str) -> None:
        """Go to an address of the back office and wait until nothing more is loaded."""
        self.page.goto(f"{self.base}{path}")
        self.page.wait_for_load_state("networkidle")

    def _look(self, response: Any) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.url}")

    def _where(self, request: Any) -> None:
        host = urlsplit(request.url).netloc
        if host and host != urlsplit(self.base).netloc:
            self.faults.append(f"asked {host}")


@pytest.fixture
def visit(live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """A browser with an empty profile, signed in as the risk officer."""
    # Playwright keeps an event loop running in this thread, which Django takes for asynchronous code.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    factories.superuser(password=PASSWORD)
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(tmp_path),
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS,
            viewport={"width": 1440, "height": 1000},
        )
        told = Visit(context.new_page(), live_server.url)
        told.open(reverse("admin:login"))
        told.page.fill("input[name=username]", "risk.officer")
        told.page.fill("input[name=password]", PASSWORD)
        told.page.click("button[type=submit]")
        told.page.wait_for_load_state("networkidle")
        yield told
        context.close()
        # Connections belong to the event loop's context; nobody else would close these.
        connections.close_all()


def test_an_officer_signs_in_and_every_page_of_the_book_is_whole(visit: Visit) -> None:
    factories.venues()
    instrument = factories.instrument()
    policy = factories.policy(factories.product())
    order = factories.order(factories.intent(instrument, of=factories.cycle()), state="UNKNOWN")
    factories.hedge(policy, instrument)

    assert visit.page.url.rstrip("/").endswith("/admin")
    for name in (
        "cycle",
        "intent",
        "order",
        "fill",
        "position",
        "hedgeposition",
        "mapping",
        "breaker",
        "riskbucket",
    ):
        visit.open(reverse(f"admin:hedging_{name}_changelist"))
        assert "PAPER" in visit.page.inner_text("body").upper(), name
    visit.open(reverse("admin:policies_product_changelist"))
    visit.open(reverse("admin:hedging_order_change", args=[order.pk]))

    assert "read timed out after the request was sent" in visit.page.inner_text("body")
    assert "0xsecret" not in visit.page.content()
    assert visit.faults == []


def test_a_breaker_is_tripped_by_its_button_with_a_reason(visit: Visit) -> None:
    breaker = factories.breaker("global")

    visit.open(reverse("admin:hedging_breaker_change", args=[breaker.pk]))
    visit.page.get_by_role("link", name="Stop trading").click()
    visit.page.fill("textarea[name=reason]", "the market does not look right")
    visit.page.locator("main form button[type=submit], form button[type=submit]").last.click()
    visit.page.wait_for_load_state("networkidle")

    breaker.refresh_from_db()
    assert (breaker.state, breaker.changed_by) == ("OPEN", "risk.officer")
    assert breaker.reason == "the market does not look right"


def test_the_api_documentation_opens_without_asking_anybody_else(visit: Visit) -> None:
    visit.open("/api/docs/")

    visit.page.get_by_text("/api/v2/hedges/positions").first.wait_for()
    assert visit.faults == []
