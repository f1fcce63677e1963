"""Searches propose what is a hedge, once; what a person declined stays away until it is worded anew."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from hedging.models import Mapping, MappingEvent
from hedging.services.discovery import (
    FINDERS,
    TERM_DAYS_UNKNOWN,
    find_bridge_markets,
    find_cex_liquidation_markets,
    find_depeg_markets,
    find_oracle_markets,
    find_smart_contract_markets,
    findings_propose,
    horizon_read,
    markets_search,
)
from hedging.services.mapping_watch import mappings_watch
from hedging.services.mappings import mapping_approve, mapping_propose_market, mappings_decline
from policies.domain.catalogue import CoverageType
from tests.desk import Desk
from tests.trading import SLUG, sell
from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.errors import Refused
from venues.domain.gateway import LookupFailed
from venues.models import Instrument
from venues.registry import gateways_forget
from venues.services.instruments import instruments_refresh

pytestmark = pytest.mark.django_db(transaction=True)

OTHER_WORDS = (
    'This market will resolve to "Yes" if, between this market\'s creation and December 31, 2027, 11:59 PM ET, any '
    '1-minute candle for USDC/USD has a final "Low" price below $0.90. Otherwise, this market will resolve to "No".'
)


def usdc(**values: object) -> Mapping:
    return Mapping.objects.get(
        product__coverage_type="depeg", product__chain="ethereum", product__stablecoin="USDC",
        instrument__slug=SLUG, **values,
    )  # fmt: skip


def test_every_depeg_market_is_found_with_the_outcome_that_pays(desk: Desk) -> None:
    found = {item.finding.listing.slug: item for item in find_depeg_markets(now=utc_now())}

    usdc_market = found[SLUG]
    assert usdc_market.found_by == "search “USDC depeg”"
    assert usdc_market.finding.outcome.label == "Yes"
    assert usdc_market.finding.outcome.instrument_id == desk.market(SLUG)["token_ids"][0]
    assert usdc_market.finding.grade == "direct"
    assert usdc_market.finding.basis_probability == 1
    assert {str(key.chain) for key in usdc_market.finding.products} == {
        "ethereum", "arbitrum", "base", "polygon", "optimism", "bitcoin", "solana", "ton",
    }  # fmt: skip
    coins = {key.stablecoin for item in found.values() for key in item.finding.products}
    assert coins == {
        "USDC", "USDT", "DAI", "FRAX", "BUSD", "USDe", "sUSDe", "USDY", "PYUSD", "GHO", "LUSD", "crvUSD", "mkUSD",
    }  # fmt: skip
    assert Mapping.objects.count() == 0


@pytest.mark.parametrize(
    ("find", "slug", "grade", "basis", "products"),
    [
        (find_bridge_markets, "wormhole-solana-bridge-hack-by-december-31-2027", "proxy", "0.48", 14),
        (find_bridge_markets, "wrapped-bitcoin-hack-by-december-31-2027", "proxy", "0.48", 14),
        (
            find_smart_contract_markets,
            "another-crypto-hack-over-100m-by-december-31-2027",
            "proxy",
            "0.35",
            98,
        ),
        (find_oracle_markets, "oracle-exploit-over-50m-by-december-31-2027", "proxy", "0.45", 98),
        (find_cex_liquidation_markets, "major-cex-insolvent-by-december-31-2027", "proxy", "0.35", 112),
    ],
)
def test_each_coverage_type_has_its_search(desk: Desk, find, slug, grade, basis, products) -> None:
    found = {item.finding.listing.slug: item.finding for item in find(now=utc_now())}
    finding = found[slug]
    assert (finding.grade, finding.basis_probability, len(finding.products)) == (
        grade, Decimal(basis), products,
    )  # fmt: skip
    assert finding.outcome.label == "Yes"


def test_a_market_on_the_largest_hack_is_found_and_not_proposed(desk: Desk) -> None:
    found = {item.finding.listing.slug: item.finding for item in find_bridge_markets(now=utc_now())}
    largest = found["largest-crypto-hack-of-2027-bridge"]
    assert (largest.grade, largest.products) == ("none", ())
    assert largest.reasons == (
        "it names the largest theft of a period, whatever its size: it pays by comparison, not by event",
    )


def test_a_search_proposes_each_hedge_once_and_trades_through_none(desk: Desk) -> None:
    search = markets_search(now=utc_now())

    assert search.failed == {}
    assert len(search.proposals.created) == Mapping.objects.filter(state="proposed", is_active=False).count()
    by_kind = Counter(Mapping.objects.values_list("product__coverage_type", flat=True).order_by())
    assert by_kind["bridge"] == 112
    assert (by_kind["smart_contract"], by_kind["oracle"], by_kind["cex_liquidation"]) == (98, 98, 112)
    row = usdc()
    assert (row.grade, row.basis_probability) == ("direct", 1)
    assert row.pays_on == "USDC below $0.98 for 24 hours until 31 December 2027"
    assert row.found_by == "search “USDC depeg”"
    assert row.read_wording_hash == row.instrument.wording_hash
    assert [line["name"] for line in row.comparison["lines"]] == [
        "Event", "Threshold", "Window", "Price source", "From", "Until", "Outcome",
    ]  # fmt: skip
    assert (row.market_id, row.condition_id, row.token_id, row.is_active) == (
        row.instrument.market_id, desk.market(SLUG)["condition_id"], desk.market(SLUG)["token_ids"][0], False,
    )  # fmt: skip


def test_running_it_twice_changes_nothing(desk: Desk) -> None:
    first = markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    before = list(Mapping.objects.order_by("pk").values())

    second = markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])

    assert (second.proposed, second.proposals.unchanged) == (0, len(first.proposals.created))
    assert list(Mapping.objects.order_by("pk").values()) == before


def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    search = markets_search(now=utc_now(), is_dry=True)
    assert any(item.finding.products for item in search.found)
    assert (Mapping.objects.count(), Instrument.objects.count()) == (0, 0)


def test_a_declined_market_comes_back_only_when_it_is_worded_anew(desk: Desk) -> None:
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    row = usdc()
    mappings_decline(row.pk, reason="Coinbase is not our source", actor="risk.officer", now=utc_now())

    again = markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    assert again.proposed == 0
    assert usdc().state == "declined"

    desk.exchange.post("market", slug=SLUG, description=OTHER_WORDS)
    worded = markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])

    assert len(worded.proposals.renewed) == 8
    row = usdc()
    assert (row.state, row.reason, row.changed_by) == ("proposed", "its market is worded anew", "system")
    # Eight cents lower: 0.8 to the eighth power, cut to 0.16; a single minute is enough, which is wider.
    assert (row.grade, row.basis_probability) == ("proxy", Decimal("0.16"))
    assert list(MappingEvent.objects.filter(mapping=row).order_by("id").values_list("old", "new", "who")) == [
        ("", "proposed", "system"),
        ("proposed", "declined", "risk.officer"),
        ("declined", "proposed", "system"),
    ]


def test_what_a_person_approved_is_left_as_they_judged_it(desk: Desk) -> None:
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    mapping_approve(usdc().pk, actor="risk.officer", now=utc_now())
    desk.exchange.post("market", slug=SLUG, description=OTHER_WORDS)

    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])

    row = usdc()
    assert (row.state, row.grade, row.basis_probability) == ("approved", "direct", 1)
    assert row.approved_wording_hash != row.instrument.wording_hash


def test_a_market_worded_anew_between_search_and_look_waits_for_the_next_search(desk: Desk) -> None:
    found = [item for item in find_depeg_markets(now=utc_now()) if item.finding.listing.slug == SLUG]
    desk.exchange.post("market", slug=SLUG, description=OTHER_WORDS)
    assert findings_propose(found, now=utc_now()).created == []
    assert Mapping.objects.count() == 0


def test_most_policies_ends_are_read_from_the_book(desk: Desk) -> None:
    now = utc_now()
    for number in range(10):
        sell(f"P-{number}", 1_000)
    horizon = horizon_read(now=now)
    assert (horizon.policies_end_on[CoverageType.DEPEG] - horizon.today).days == 30
    assert (horizon.policies_end_on[CoverageType.BRIDGE] - horizon.today).days == TERM_DAYS_UNKNOWN


def test_silence_of_the_venue_is_said_and_proposes_nothing(desk: Desk, free_port: int) -> None:
    nowhere = desk.polymarket() | {"gamma_url": f"http://127.0.0.1:{free_port}/gamma"}
    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        with pytest.raises(LookupFailed):
            find_depeg_markets(now=utc_now())
        search = markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
        with pytest.raises(CommandError, match="depeg: no answer from the venue"):
            call_command("find_markets", "--coverage", "depeg", stdout=StringIO())
    gateways_forget()
    assert list(search.failed) == [CoverageType.DEPEG]
    assert Mapping.objects.count() == 0


def test_a_desk_without_an_account_is_told_and_nothing_breaks(desk: Desk) -> None:
    with override_settings(POLYMARKET=desk.polymarket() | {"private_key": ""}):
        gateways_forget()
        search = markets_search(now=utc_now(), coverage=[CoverageType.ORACLE])
    gateways_forget()
    assert list(search.failed) == [CoverageType.ORACLE]
    assert "POLYMARKET_PRIVATE_KEY" in search.failed[CoverageType.ORACLE]


def test_a_venue_without_a_search_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="no gateway for venue 'allianz'"):
        FINDERS[CoverageType.DEPEG](now=utc_now(), venue_code="allianz")


def test_the_command_says_what_it_found_and_why(desk: Desk) -> None:
    said = StringIO()
    call_command("find_markets", "--coverage", "bridge", "--dry-run", "--all", stdout=said)
    words = said.getvalue()
    assert (
        "buy Yes: a theft of more than $10,000,000 from the bridges of TON until 31 December 2027; proxy, basis 0.48"
        in words
    )
    assert "no hedge: Will the largest crypto hack of 2027 hit a bridge?: it names the largest theft" in words
    assert words.endswith("Dry run: nothing was written.\n")

    said = StringIO()
    call_command("find_markets", "--coverage", "bridge", stdout=said)
    assert said.getvalue().endswith("112 proposed, 0 worded anew, 0 known already.\n")


def test_a_stored_market_is_not_read_again(desk: Desk) -> None:
    token = desk.market(SLUG)["token_ids"][0]
    instruments_refresh("polymarket", now=utc_now(), instrument_ids=[token])
    read_at = Instrument.objects.get(instrument_id=token).refreshed_at
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    assert Instrument.objects.get(instrument_id=token).refreshed_at == read_at


def test_a_mapping_suspended_for_its_wording_gets_the_new_comparison_and_stays_suspended(desk: Desk) -> None:
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])
    mapping_approve(usdc().pk, actor="risk.officer", now=utc_now())
    desk.exchange.post("market", slug=SLUG, description=OTHER_WORDS)
    mappings_watch(now=utc_now() + timedelta(minutes=5))

    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])

    row = usdc()
    assert (row.state, row.suspended_kind, row.grade, row.basis_probability) == (
        "suspended", "wording", "direct", 1,
    )  # fmt: skip
    assert row.comparison["basis_probability"] == "0.16"
    assert row.read_wording_hash == row.instrument.wording_hash != row.approved_wording_hash


def test_what_a_person_proposed_gets_a_comparison_and_keeps_their_judgement(desk: Desk) -> None:
    mapping_propose_market(
        coverage_type="depeg",
        chain="ethereum",
        stablecoin="USDC",
        venue_code="polymarket",
        instrument_id=desk.market(SLUG)["token_ids"][0],
        grade="proxy",
        basis_probability=Decimal("0.7"),
        pays_on="as I read it",
        internal_event_id="EVT-7",
        actor="risk.officer",
        now=utc_now(),
    )
    markets_search(now=utc_now(), coverage=[CoverageType.DEPEG])

    row = usdc()
    assert (row.state, row.grade, row.basis_probability, row.pays_on, row.internal_event_id) == (
        "proposed", "proxy", Decimal("0.7"), "as I read it", "EVT-7",
    )  # fmt: skip
    assert row.comparison["grade"] == "direct"
    assert row.found_by == "search “USDC depeg”"
