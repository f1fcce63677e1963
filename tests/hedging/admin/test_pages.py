"""Every page of the book answers, escapes what it shows, and changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hedging.models import Breaker
from tests import factories as make

MODELS = [
    "hedging.mapping",
    "hedging.cycle",
    "hedging.intent",
    "hedging.order",
    "hedging.fill",
    "hedging.position",
    "hedging.hedgeposition",
    "hedging.hedgeconfigentry",
    "hedging.breaker",
    "hedging.riskbucket",
    "hedging.discrepancy",
    "hedging.reconciliationrun",
    "venues.venue",
    "venues.instrument",
    "venues.balancesnapshot",
]


def listing(model: str) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_changelist")


def page(model: str, row: Any) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[quote(row.pk)])


@pytest.mark.parametrize("model", MODELS)
def test_the_list_answers_with_rows_and_says_which_environment_this_is(officer, book, settings, model):
    settings.TRADING_ENVIRONMENT = "PRACTICE"
    html = officer.get(listing(model)).content.decode()
    assert "PRACTICE" in html
    assert "<b>USDC</b>" not in html
    row = getattr(book, model.split(".")[1])
    assert page(model, row) in html


@pytest.mark.parametrize("model", MODELS)
def test_the_rows_page_answers_and_escapes(officer, book, model):
    html = officer.get(page(model, getattr(book, model.split(".")[1]))).content.decode()
    for dangerous in ("<b>USDC</b>", "<script>alert", "<i>no</i>", "<u>403</u>", "<b>1000</b>"):
        assert dangerous not in html
    assert "&lt;span" not in html, "markup of our own is shown as text"


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_changes_or_deletes_a_row_of_the_book(officer, book, model):
    row = getattr(book, model.split(".")[1])
    app, name = model.split(".")
    assert officer.get(reverse(f"admin:{app}_{name}_add")).status_code == 403
    assert (
        officer.post(reverse(f"admin:{app}_{name}_delete", args=[quote(row.pk)]), {"post": "yes"}).status_code
        == 403
    )
    assert officer.post(page(model, row), {"reason": "x"}).status_code == 403
    html = officer.get(page(model, row)).content.decode()
    assert 'name="_save"' not in html
    assert "deletelink" not in html


@pytest.mark.parametrize("model", MODELS)
def test_somebody_without_the_permission_sees_nothing(guest, book, model):
    client = guest()
    assert client.get(listing(model)).status_code == 403
    assert client.get(page(model, getattr(book, model.split(".")[1]))).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_is_sent_to_the_login(settings, book, model):
    settings.SECURE_SSL_REDIRECT = False
    response = Client().get(listing(model))
    assert response.status_code == 302
    assert "/admin/login/" in response["Location"]


@pytest.mark.parametrize("model", MODELS)
def test_no_page_needs_anything_from_outside_or_runs_a_script_of_its_own(officer, book, model):
    for address in (listing(model), page(model, getattr(book, model.split(".")[1]))):
        html = officer.get(address).content.decode()
        for source in re.findall(r'(?:src|href)="(https?:)?//[^"]+"', html):
            pytest.fail(f"{address} asks {source}")
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>\s*[^<\s]", html), (
            "an inline script, which the CSP forbids"
        )


@pytest.mark.parametrize(
    "model", ["hedging.order", "hedging.fill", "hedging.hedgeposition", "hedging.mapping"]
)
def test_ten_more_rows_cost_no_more_queries(officer, book, model):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer.get(listing(model)).status_code == 200
        return len(seen)

    before = queries()
    for _ in range(10):
        token = make.instrument()
        make.mapping(make.product(stablecoin="DAI"), token)
        make.hedge(make.policy(make.product()), token)
    assert queries() == before


def test_figures_have_separators_and_no_trailing_zeros(officer, book):
    html = officer.get(listing("hedging.cycle")).content.decode()
    assert "$1,234,567.00" in html
    assert "1234567.000000" not in html


def test_right_aligned_figures_stand_under_right_aligned_headers(officer, book):
    html = officer.get(listing("hedging.fill")).content.decode()
    header = re.search(r'<th class="[^"]*column-n_notional', html)
    assert header is not None, "the style sheet aligns headers of the class column-n_…"
    assert '<span class="bo-num" title="80 USD">$80.00</span>' in html


def test_a_closed_breaker_raises_no_alarm_and_an_open_one_does(officer, book):
    closed = make.breaker("global", state=Breaker.State.CLOSED)
    assert "Trading is stopped here" not in officer.get(page("hedging.breaker", closed)).content.decode()
    assert "Trading is stopped here" in officer.get(page("hedging.breaker", book.breaker)).content.decode()
