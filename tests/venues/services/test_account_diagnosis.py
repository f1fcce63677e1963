"""An account that may not trade, or whose wallet, approvals or contracts are not what they should be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from tests import factories as make
from tests.desk import Desk
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.findings import Finding
from venues.models import ExchangeContract
from venues.registry import gateways_forget
from venues.services.accounts import account_read
from venues.services.diagnosis.account import venue_account_ask, venue_contracts_ask, venue_standing_ask
from venues.services.exchanges import exchanges_ensure

pytestmark = pytest.mark.django_db

VENUE = "polymarket"


def account(**_told: Any) -> dict[str, Finding]:
    return {found.code: found for found in venue_account_ask(VENUE, now=utc_now())}


def contracts() -> Finding:
    (found,) = venue_contracts_ask(VENUE, now=utc_now())
    return found


def test_an_account_in_good_standing_is_well(desk: Desk) -> None:
    found = account()
    assert {code: finding.level.value for code, finding in found.items()} == {
        "account_standing": "ok",
        "account_wallet": "ok",
        "account_approvals": "ok",
    }
    assert found["account_wallet"].sentence == (
        f"The wallet at polymarket is the key's own address, {desk.address}"
    )


def test_an_account_that_may_only_close_is_a_fault(desk: Desk) -> None:
    desk.exchange.post("account", address=desk.address, standing="closed_only")
    found = account()["account_standing"]
    assert (found.level.value, found.runbook) == ("fault", "account-closed")
    assert found.sentence == (
        "Nothing is opened at polymarket: the venue lets the account only close positions"
    )


def test_a_country_that_the_venue_does_not_serve_is_a_fault(desk: Desk) -> None:
    desk.exchange.post("geoblock", blocked=True, country="US", region="NY")
    try:
        found = account()["account_standing"]
    finally:
        desk.exchange.post("geoblock")
    assert found.level.value == "fault"
    assert found.sentence.endswith("the venue does not serve this machine's country (US NY)")


def test_missing_approvals_are_counted_and_the_first_is_named(desk: Desk) -> None:
    desk.exchange.post("account", address=desk.address, approved=False)
    found = account()["account_approvals"]
    assert found.level.value == "fault"
    assert "approvals are missing at polymarket: Exchange V2 for pUSD (buying)" in found.sentence
    assert found.remedy.startswith("manage.py wallet approve")


def test_money_that_the_order_book_has_not_seen_is_a_warning(desk: Desk) -> None:
    desk.exchange.post("fund", address=desk.address, pusd="500", signature_type=0, seen=False)
    found = account()["account_lag"]
    assert found.level.value == "warning"
    assert found.sentence == ("The chain says 100,500.00 USD, the order book of polymarket sees 100,000.00")


def test_a_node_that_is_down_leaves_an_account_unread(desk: Desk, free_port: int) -> None:
    with override_settings(POLYMARKET={**desk.polymarket(), "rpc_url": f"http://127.0.0.1:{free_port}"}):
        gateways_forget()
        found = account()
        told = contracts()
    gateways_forget()
    assert found["account_unread"].level.value == "warning"
    assert (told.level.value, told.code) == ("warning", "contracts")
    assert told.sentence.startswith("3 of 3 contracts of polymarket could not be asked")


def known(**later: int) -> tuple[str, str]:
    (found,) = venue_standing_ask(VENUE, now=utc_now() + timedelta(**later))
    assert found.code == "account_known"
    return found.level.value, found.sentence


def test_what_was_last_read_of_the_account_is_told_without_asking(desk: Desk) -> None:
    make.venue()
    assert known() == ("warning", "The account at polymarket was never read")
    account_read(VENUE, now=utc_now())
    assert known() == ("ok", "The account at polymarket was in order 0 minutes ago")
    assert known(minutes=31) == ("warning", "The account at polymarket was last read 31 minutes ago")
    desk.exchange.post("account", address=desk.address, standing="closed_only")
    account_read(VENUE, now=utc_now())
    assert known() == (
        "fault",
        "The account at polymarket is not in order: the venue lets the account only close positions",
    )


def test_contracts_say_of_themselves_what_our_table_says(desk: Desk) -> None:
    assert contracts().sentence == "All 3 contracts of polymarket say of themselves what our table says"


def test_a_row_that_a_contract_contradicts_is_a_fault(desk: Desk) -> None:
    exchanges_ensure(now=utc_now())
    row = ExchangeContract.objects.filter(chain_id=31337).order_by("pk").first()
    assert row is not None
    ExchangeContract.objects.create(
        venue_id=VENUE,
        chain_id=31337,
        domain_name=row.domain_name,
        domain_version="9",
        neg_risk=row.neg_risk,
        contract=row.contract,
        position_ids=row.position_ids,
        market_version="v9",
        valid_from=row.valid_from,
        added_by="risk.officer",
        added_because="a slip",
        added_at=utc_now(),
    )
    gateways_forget()
    found = contracts()
    assert (found.level.value, found.code, found.runbook) == ("fault", "contracts", "venue-contracts")
    assert found.sentence.startswith("1 of ")
