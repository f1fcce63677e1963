"""The command prints what the database says."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from tests import factories as make

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("hedge_report", *arguments, stdout=out)
    return out.getvalue()


def test_the_founding_documents_figures_are_printed_line_for_line():
    make.venues()
    make.policy(make.product(), "4980000")
    make.policy(make.product(stablecoin="DAI"), "4980000")
    make.policy(make.product("bridge"), "2490000")
    text = printed()
    for line in (
        "║  HEDGE ORCHESTRATOR STATUS REPORT                        ║",
        "Total Products with Exposure: 3",
        "Total Coverage Amount: $12,450,000",
        "Total Hedge Required (20%): $2,490,000",
        "Products Being Hedged: 0",
        "  Polymarket (40%): $996,000",
        "  Allianz (20%): $498,000",
        "Open Positions: 0",
        "Total Realized P&L: $0",
    ):
        assert line in text.splitlines()


def test_the_split_follows_the_setting():
    make.venues()
    make.policy(make.product(), "100000")
    make.config("venueShares", {"polymarket": "0.75", "allianz": "0.25"})
    lines = printed().splitlines()
    assert "  Polymarket (75%): $15,000" in lines
    assert "  Binance futures (0%): $0" in lines
    assert "  Allianz (25%): $5,000" in lines


def test_machines_get_the_same_figures_as_decimal_strings():
    make.venues()
    make.hedge(make.policy(make.product(), "100000"), make.instrument())
    make.cycle()
    book = json.loads(printed("--json"))
    assert book["exposure"]["coverage_usd"] == "100000.000000"
    assert book["exposure"]["required_usd"] == "20000.000000"
    assert book["positions"]["open_count"] == 1
    assert book["positions"]["cost_usd"] == "83.680000"
    assert book["cycle"]["as_of"] == "2026-11-21T11:57:00+00:00"
