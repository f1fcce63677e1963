"""The home page: the bad news first, every figure from the book."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hedging.models import Cycle, Intent
from tests import factories as make
from tonsurance.kernel.clock import utc_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(officer, settings):
    """The page's text, blanks collapsed."""
    settings.TRADING_ENVIRONMENT = "PRACTICE"

    def read() -> str:
        return re.sub(r"\s+", " ", officer.get("/admin/").content.decode())

    return read


def chart_of(kind: str, html: str) -> Any:
    """The data that the page hands to the chart of that kind."""
    (data,) = re.findall(rf'data-type="{kind}" data-value="([^"]+)"', html)
    return json.loads(unescape(data))


def test_an_empty_book_says_that_no_cycle_has_run(home):
    html = home()
    assert "PRACTICE" in html
    assert "Trading is off: cycles only record" in html
    assert "No cycle has run lately" in html


def test_a_quiet_book_says_that_nobody_is_needed(home):
    make.venues()
    make.cycle(as_of=utc_now() - timedelta(minutes=4))
    make.config("enabled", value=True)
    html = home()
    assert "Nothing needs a person now." in html
    assert "Trading on the practice exchange" in html
    assert "4 min ago" in html


def test_each_kind_of_trouble_has_its_sentence(home):
    token = make.instrument()
    make.order(make.intent(token), state="MANUAL")
    make.order(make.intent(token), state="UNKNOWN")
    make.breaker(
        "venue:polymarket", state="OPEN", opened_at=make.NOW, reason="venue said 503", changed_by="system"
    )
    make.discrepancy()
    parked = make.intent(token)
    parked.state = Intent.State.PARKED
    parked.save()
    make.cycle(state=Cycle.State.FAILED, error="LookupFailed: no answer", as_of=utc_now())

    html = home()

    assert "2 orders without an answer, worth $168.00 at worst" in html
    assert "Stopped: Venue Polymarket (venue said 503)" in html
    assert "1 open disagreement between our book and a venue" in html
    assert "1 decision parked until a person looks" in html
    assert "The last cycle failed: LookupFailed: no answer" in html


def test_the_figures_are_the_books(home):
    polymarket, binance, _ = make.venues()
    usdc, token = make.product(), make.instrument()
    make.mapping(usdc, token)
    make.hedge(make.policy(usdc, "100000"), token)
    run = make.cycle(as_of=utc_now())
    make.leg(run, usdc, polymarket, reason="DEPTH", unfilled_usd=Decimal("7916.32"))
    make.leg(run, usdc, binance, reason="NO_GATEWAY", unfilled_usd=Decimal(8000))

    html = home()

    for figure in ("$100,000.00", "$20,000.00", "$1,000.00", "$83.68", "$15,916.32", "1 policy, 1 product"):
        assert figure in html
    chart = chart_of("bar", html)
    assert chart["labels"] == ["Binance futures: no gateway", "Polymarket: depth"]
    assert chart["datasets"][0]["data"] == [8000, 7916]


def test_the_cycles_chart_draws_the_last_runs_oldest_first(home):
    usdc, polymarket = make.product(), make.venue()
    for minute, amount in ((10, 500), (5, 300)):
        run = make.cycle(as_of=utc_now() - timedelta(minutes=minute), required_usd=Decimal(1000))
        make.leg(run, usdc, polymarket, reason="DEPTH", unfilled_usd=Decimal(amount))
    html = home()
    chart = chart_of("line", html)
    assert [line["data"] for line in chart["datasets"]] == [[1000, 1000], [500, 300], [0, 0]]


def test_the_page_costs_the_same_however_much_there_is(officer, book):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get("/admin/").status_code == 200
        return len(seen)

    before = queries()
    for _ in range(5):
        make.hedge(make.policy(make.product()), make.instrument())
        make.order(make.intent(make.instrument()), state="UNKNOWN")
        make.leg(make.cycle(), make.product(), make.venue())
    assert queries() == before
    assert before <= 27


def test_somebody_without_rights_gets_no_figures(guest, book):
    html = guest().get("/admin/").content.decode()
    assert "Exposure" not in html
    assert "In doubt" not in html


def test_live_trading_says_so_in_red(officer, settings):
    settings.TRADING_ENVIRONMENT = "LIVE"
    make.config("enabled", value=True)
    html = officer.get("/admin/").content.decode()
    assert "Trading live, with real money" in html


def test_an_error_with_markup_is_only_text(home):
    make.cycle(state=Cycle.State.FAILED, error="<img src=x onerror=alert(1)>", as_of=utc_now())
    assert "<img src=x" not in home()
