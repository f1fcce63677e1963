"""A person moves the venue's signing domain by a row; the contract itself has a say, and orders follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests import factories as make
from tests.desk import Desk
from tests.venues.adapters.polymarket.trading import BOOK, NEG_RISK_SLUG, SLUG, order_for, terms_of
from tonsurance.kernel.errors import Refused
from venues import registry
from venues.adapters.polymarket.contracts import first_domains
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.signing import identity_in
from venues.domain.exchanges import ExchangeDomain, PositionIds
from venues.domain.gateway import Accepted, Rejected
from venues.models import ExchangeContract
from venues.registry import gateway_for, gateways_forget
from venues.selectors.exchanges import exchange_domains
from venues.services.exchanges import exchange_add, exchange_retire, exchanges_ensure
from venues.simulators.polymarket import config as practice

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PRACTICE = 31337
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def table(desk: Desk) -> None:
    """The rows as a new installation has them, read by the next gateway."""
    make.venue("polymarket")
    exchanges_ensure(now=NOW)
    gateways_forget()
    desk.book(SLUG, **BOOK)


def gateway() -> Gateway:
    found = gateway_for("polymarket")
    assert isinstance(found, Gateway)
    return found


def standard() -> ExchangeContract:
    return ExchangeContract.objects.get(contract=practice.STANDARD_EXCHANGE)


def add(contract: str = practice.STANDARD_EXCHANGE, **changes: Any) -> ExchangeContract:
    domain = ExchangeDomain(
        version="2",
        neg_risk=False,
        contract=contract,
        name="Polymarket CTF Exchange",
        position_ids=PositionIds.CTF,
        market_version="v1",
    )
    told: dict[str, Any] = {
        "chain_id": PRACTICE,
        "valid_from": NOW,
        "actor": "risk.officer",
        "reason": "announced",
        "now": NOW,
    }
    domain = replace(domain, **{name: changes.pop(name) for name in list(changes) if hasattr(domain, name)})
    return exchange_add("polymarket", domain, **{**told, **changes})


def test_the_table_starts_with_the_venues_and_the_practice_exchanges_contracts() -> None:
    exchanges_ensure(now=NOW)

    assert ExchangeContract.objects.filter(chain_id=137).count() == 3
    rows = exchange_domains("polymarket", chain_id=PRACTICE, now=NOW)
    assert sorted((row.version, row.contract, row.neg_risk) for row in rows) == [
        ("2", practice.STANDARD_EXCHANGE, False),
        ("2", practice.NEG_RISK_EXCHANGE, True),
        ("3", practice.EXCHANGE_V3, None),
    ]
    assert set(rows) == set(first_domains()[PRACTICE])


def test_the_contracts_agree_with_their_rows() -> None:
    findings = gateway().check_domains()

    assert [finding.is_right for finding in findings] == [True, True, True]


def test_a_wrong_row_is_found_by_asking_the_contract(desk: Desk) -> None:
    (domain,) = [row for row in first_domains()[PRACTICE] if row.neg_risk is False]
    wrong = [
        replace(domain, version="3"),
        replace(domain, name="Polymarket Exchange"),
        replace(domain, contract="0x" + "ab" * 20),
    ]
    findings = gateway().check_domains(wrong)

    assert [finding.is_right for finding in findings] == [False, False, False]
    assert "says it is 'Polymarket CTF Exchange' version '2'" in findings[0].message
    assert "there is no contract at" in findings[2].message
    away = Gateway(replace(gateway()._config, rpc_url="http://127.0.0.1:9/rpc"))
    assert away.check_domains([domain])[0].is_right is None


def test_a_market_without_a_row_is_refused_with_the_remedy_and_trades_again_with_one(desk: Desk) -> None:
    (token, _) = desk.market(SLUG)["token_ids"]
    terms = terms_of(gateway(), token)
    exchange_retire(standard().pk, actor="risk.officer", reason="the venue moved", now=NOW)

    with pytest.raises(Refused, match="add it under Exchange contracts") as caught:
        gateway().prepare(order_for(terms))
    assert caught.value.field == "exchange_domain"

    add()
    outcome = gateway().submit(gateway().prepare(order_for(terms)).payload)
    assert isinstance(outcome, Accepted)


def test_a_neg_risk_market_does_not_fall_back_on_the_ordinary_row(desk: Desk) -> None:
    (token, _) = desk.market(NEG_RISK_SLUG)["token_ids"]
    terms = terms_of(gateway(), token)
    row = ExchangeContract.objects.get(contract=practice.NEG_RISK_EXCHANGE)
    exchange_retire(row.pk, actor="risk.officer", reason="the venue moved", now=NOW)

    with pytest.raises(Refused):
        gateway().prepare(order_for(terms))


def test_orders_signed_for_a_retired_contract_are_still_ours_and_the_venue_decides(desk: Desk) -> None:
    (token, _) = desk.market(SLUG)["token_ids"]
    before = gateway().prepare(order_for(terms_of(gateway(), token)))
    exchange_retire(standard().pk, actor="risk.officer", reason="the venue moved", now=NOW)

    assert identity_in(before.payload, config=gateway()._config).order_id == before.client_order_id
    assert isinstance(gateway().submit(before.payload), Accepted)


def test_a_row_of_tomorrow_is_not_signed_for_today_and_takes_over_by_itself() -> None:
    other = "0x" + "12" * 20
    ExchangeContract.objects.create(
        venue_id="polymarket",
        chain_id=PRACTICE,
        domain_name="Polymarket CTF Exchange",
        domain_version="2",
        neg_risk=False,
        contract=other,
        position_ids="ctf",
        market_version="v1",
        valid_from=NOW + timedelta(days=1),
        added_by="risk.officer",
        added_because="announced",
        added_at=NOW,
    )
    today = exchange_domains("polymarket", chain_id=PRACTICE, now=NOW)
    tomorrow = exchange_domains("polymarket", chain_id=PRACTICE, now=NOW + timedelta(days=1))

    assert [row.contract for row in today if row.is_active and row.neg_risk is False] == [
        practice.STANDARD_EXCHANGE
    ]
    assert tomorrow[0].contract == other
    assert tomorrow[0].is_active


def test_a_changed_table_reaches_a_running_process_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    first = gateway()
    assert gateway() is first
    ExchangeContract.objects.filter(pk=standard().pk).update(
        is_active=False, retired_by="x", retired_because="moved", retired_at=NOW
    )
    assert gateway() is first

    monkeypatch.setattr(registry, "CONTRACTS_READ_EVERY_S", 0.0)
    gateways_forget()
    again = gateway()
    assert again is not first
    assert gateway() is again


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"reason": "  "}, "reason"),
    ({"contract": "0x12"}, "contract"),
    ({"version": ""}, "domain_version"),
    ({"name": " x"}, "domain_name"),
    ({"market_version": ""}, "market_version"),
    ({"contract": "0xE111180000d2663C0091e4f400237545B87B996B"}, "contract"),
    ({"version": "3"}, "contract"),
    ({"contract": "0x" + "ab" * 20}, "contract"),
    ({"chain_id": 80002, "contract": "0x" + "cd" * 20}, "is_unasked_ok"),
    ({}, "contract"),
]


def test_a_row_that_would_be_wrong_is_not_added() -> None:
    before = ExchangeContract.objects.count()

    for changes, field in WRONG:
        with pytest.raises(Refused) as caught:
            add(**changes)
        assert caught.value.field == field, changes
    assert ExchangeContract.objects.count() == before


def test_a_contract_of_another_chain_is_added_only_when_somebody_says_so() -> None:
    row = add(chain_id=80002, contract="0x" + "cd" * 20, is_unasked_ok=True)

    assert (row.chain_id, row.added_by, row.added_because) == (80002, "risk.officer", "announced")


def test_a_row_is_retired_once_and_by_somebody() -> None:
    row = exchange_retire(standard().pk, actor="risk.officer", reason="moved", now=NOW)

    assert (row.is_active, row.retired_by, row.retired_because, row.retired_at) == (
        False,
        "risk.officer",
        "moved",
        NOW,
    )
    for reason in ("again", " "):
        with pytest.raises(Refused):
            exchange_retire(row.pk, actor="risk.officer", reason=reason, now=NOW)


BROKEN: list[dict[str, Any]] = [
    {"contract": "0x12"},
    {"contract": "hello"},
    {"is_active": False},
    {"retired_at": NOW},
    {"is_active": False, "retired_at": NOW, "retired_by": "", "retired_because": "x"},
    {"position_ids": "other"},
    {"valid_from": None},
]


def test_the_database_itself_refuses_a_broken_row() -> None:
    for changes in BROKEN:
        row = standard()
        row.pk = None
        row.valid_from = NOW + timedelta(days=2)
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)
    twin = standard()
    twin.pk, twin.contract = None, "0x" + "cd" * 20
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_without_any_row_the_settings_contracts_speak(desk: Desk) -> None:
    ExchangeContract.objects.all().delete()
    gateways_forget()
    (token, _) = desk.market(SLUG)["token_ids"]

    outcome = gateway().submit(gateway().prepare(order_for(terms_of(gateway(), token))).payload)
    assert isinstance(outcome, Accepted)


def test_signing_for_a_wrong_contract_is_refused_by_the_venue(desk: Desk) -> None:
    (token, _) = desk.market(SLUG)["token_ids"]
    found = gateway()
    terms = terms_of(found, token)
    domains = tuple(replace(row, contract=practice.NEG_RISK_EXCHANGE) for row in found._config.domains)
    order = Gateway(replace(found._config, contracts=domains)).prepare(order_for(terms))

    outcome = Gateway(replace(found._config, contracts=domains)).submit(order.payload)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.is_ours) == ("invalid_signature", True)
