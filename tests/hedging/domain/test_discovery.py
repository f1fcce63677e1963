"""A listing's words become a proposal with the outcome that pays, or a sentence why it is no hedge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.discovery import Finding, find, queries_for
from hedging.domain.wordings import price_trigger_of
from policies.domain.catalogue import Chain, CoverageType, Stablecoin
from tests.hedging.domain.wordings import (
    CEX_2026,
    HACK_2026,
    HORIZON,
    MARKET_CAP,
    STABLECOINS_500B,
    USDC_2026,
    USDE_2026,
    depeg,
    listing,
)
from venues.domain.listings import MarketListing

DEPEG = CoverageType.DEPEG
OUR_TERMS = "all 1-minute candles for USDC-USD for any 24-hour period are below $0.98"
UNTIL = " between this market's creation and December 31, 2027"


def one(market: MarketListing, kind: CoverageType = DEPEG) -> Finding:
    found = find(market, kind, horizon=HORIZON)
    assert len(found) == 1
    return found[0]


def verdicts(finding: Finding) -> dict[str, str]:
    assert finding.comparison is not None
    return {line.name: line.verdict.value for line in finding.comparison.lines}


# ------------------------------------------------------------------------------------------- markets as published
def test_the_usdc_market_of_2026_pays_on_our_event_and_ends_before_most_policies() -> None:
    found = one(USDC_2026)
    assert (found.outcome.label, found.outcome.instrument_id) == ("Yes", "111")
    assert {key.stablecoin for key in found.products} == {Stablecoin.USDC}
    assert {key.chain for key in found.products} == set(Chain)
    assert found.pays_on == "USDC below $0.98 for 24 hours until 31 December 2026"
    assert verdicts(found) == {
        "Event": "same",
        "Threshold": "same",
        "Window": "same",
        "Price source": "other",
        "From": "same",
        "Until": "narrower",
        "Outcome": "other",
    }
    # 40 of the 90 days until most policies have ended.
    assert (found.grade, found.basis_probability) == ("proxy", Decimal("0.44"))
    assert "Until: it ends 50 days before most policies do" in found.reasons
    assert found.reasons[-1] == "Basis 0.44: 0.44 for until; judgements, to be judged by who approves."


def test_usde_in_capitals_is_usde_and_not_susde() -> None:
    assert {key.stablecoin for key in one(USDE_2026).products} == {Stablecoin.USDE}


def test_an_insolvency_is_a_proxy_for_a_failed_liquidation() -> None:
    found = one(CEX_2026, CoverageType.CEX_LIQUIDATION)
    assert (found.grade, found.basis_probability, len(found.products)) == ("proxy", Decimal("0.15"), 112)
    assert found.pays_on == "the insolvency of a major exchange until 31 December 2026"
    assert (
        found.reasons[0]
        == "Event: an insolvency is not a failed liquidation; one often comes without the other"
    )


def test_a_large_hack_is_a_proxy_for_contracts_on_every_chain_that_runs_them() -> None:
    found = one(HACK_2026, CoverageType.SMART_CONTRACT)
    assert (found.grade, found.basis_probability, len(found.products)) == ("proxy", Decimal("0.15"), 98)
    assert verdicts(found) | {"Loss": "narrower", "Where": "wider"} == verdicts(found)


@pytest.mark.parametrize("market", [MARKET_CAP, STABLECOINS_500B])
@pytest.mark.parametrize("kind", list(CoverageType))
def test_markets_on_size_are_no_hedge_of_anything(market: MarketListing, kind: CoverageType) -> None:
    found = one(market, kind)
    assert (found.grade, found.products, found.basis_probability) == ("none", (), 0)
    assert found.reasons[0].startswith("it is about ")


def test_a_market_of_another_peril_says_which() -> None:
    assert one(CEX_2026).reasons == ("it is about CEX liquidation, not Depeg",)


# ------------------------------------------------------------------------------------------- the terms compared
@pytest.mark.parametrize(
    ("clause", "grade", "basis", "line", "verdict"),
    [
        (OUR_TERMS, "direct", "1", "Threshold", "same"),
        (OUR_TERMS.replace("0.98", "0.95"), "proxy", "0.51", "Threshold", "narrower"),
        (OUR_TERMS.replace("0.98", "0.975"), "proxy", "0.80", "Threshold", "narrower"),
        (OUR_TERMS.replace("0.98", "0.99"), "direct", "1", "Threshold", "wider"),
        (OUR_TERMS.replace("24-hour", "72-hour"), "proxy", "0.64", "Window", "narrower"),
        (OUR_TERMS.replace("24-hour", "1-hour"), "direct", "1", "Window", "wider"),
        ("USDC trades below $0.98 at any point", "direct", "1", "Window", "wider"),
        ("USDC trades below $0.98", "proxy", "0.70", "Window", "unread"),
        ("USDC depegs for 24 hours", "proxy", "0.70", "Threshold", "unread"),
    ],
)
def test_each_difference_lowers_the_basis_by_its_own_factor(
    clause: str, grade: str, basis: str, line: str, verdict: str
) -> None:
    found = one(depeg(clause + UNTIL))
    assert (found.grade, found.basis_probability) == (grade, Decimal(basis))
    assert verdicts(found)[line] == verdict


def test_a_market_that_would_pay_almost_never_is_none() -> None:
    found = one(depeg(OUR_TERMS.replace("0.98", "0.80") + UNTIL))
    assert (found.grade, found.products) == ("none", ())
    assert found.reasons[0] == "it would pay in 1 of 100 insured events or fewer"


def test_a_market_that_has_not_begun_says_so() -> None:
    found = one(depeg(f"{OUR_TERMS} between January 1, 2027 and December 31, 2027"))
    assert verdicts(found)["From"] == "narrower"
    assert "From: nothing before 01 January 2027 counts" in found.reasons


def test_a_bridge_of_one_chain_hedges_that_chain_only() -> None:
    market = listing(
        "Will the Arbitrum bridge be hacked for over $10M in 2027?",
        'This market will resolve to "Yes" if more than $10 million is stolen from the Arbitrum bridge in 2027. '
        'Otherwise "No".',
    )
    found = one(market, CoverageType.BRIDGE)
    assert {key.chain for key in found.products} == {Chain.ARBITRUM}
    assert (
        found.pays_on
        == "a theft of more than $10,000,000 from the bridges of Arbitrum until 31 December 2027"
    )
    assert (found.grade, found.basis_probability) == ("proxy", Decimal("0.48"))


def test_contracts_on_bitcoin_do_not_exist_and_are_not_proposed() -> None:
    market = listing(
        "Will a Bitcoin protocol be exploited in 2027?",
        'It resolves to "Yes" if a Bitcoin protocol is exploited in 2027.',
    )
    assert find(market, CoverageType.SMART_CONTRACT, horizon=HORIZON) == []


def test_any_of_several_coins_is_found_for_each() -> None:
    market = depeg(f"{OUR_TERMS}{UNTIL}", question="Will USDC, USDT or DAI depeg by December 31, 2027?")
    found = find(market, DEPEG, horizon=HORIZON)
    assert [item.pays_on[:4] for item in found] == ["USDC", "USDT", "DAI "]


# ------------------------------------------------------------------------------------------- which outcome pays
@pytest.mark.parametrize(
    ("market", "label"),
    [
        (depeg(OUR_TERMS + UNTIL), "Yes"),
        (depeg(OUR_TERMS + UNTIL, outcomes=(("No", "222"), ("Yes", "111"))), "Yes"),
        (
            depeg(OUR_TERMS + UNTIL, label="No", question="Will USDC hold its peg until December 31, 2027?"),
            "No",
        ),
        (
            depeg(
                "USDC never trades below $0.98 for 24 hours" + UNTIL,
                question="Will USDC stay above $0.98 until 2028?",
            ),
            "No",
        ),
        (
            depeg("USDC stays above $0.98 at all times" + UNTIL, question="Will USDC keep its peg in 2027?"),
            "No",
        ),
        (depeg("USDC does not depeg" + UNTIL, question="No USDC depeg in 2027?"), "No"),
        (
            depeg(
                OUR_TERMS + UNTIL,
                label="Depeg",
                question="USDC in 2027",
                outcomes=(("Holds", "222"), ("Depeg", "111")),
            ),
            "Depeg",
        ),
        (
            depeg(
                "USDC is not below $0.98 for 24 hours" + UNTIL,
                label="Holds",
                question="USDC in 2027",
                outcomes=(("Holds", "222"), ("Depeg", "111")),
            ),
            "Depeg",
        ),
    ],
)
def test_the_outcome_is_chosen_by_what_it_means(market: MarketListing, label: str) -> None:
    found = one(market)
    assert (found.outcome.label, found.outcome.why_not) == (label, "")
    assert found.outcome.instrument_id == dict(market.outcomes)[label]


@pytest.mark.parametrize(
    ("market", "why"),
    [
        (
            depeg("USDC stays above $0.98 at all times" + UNTIL),
            "its question and its rules name opposite outcomes for the event",
        ),
        (
            depeg("USDC is above $0.98 on December 31, 2027", question="USDC above $0.98 on December 31, 2027?"),
            "its rules do not say plainly whether they speak of the event or its absence",
        ),
        (listing("USDC depeg in 2027?", "Ask the committee."), "its rules do not say which outcome is paid on what"),
        (
            depeg(OUR_TERMS, outcomes=(("Yes", "1"), ("No", "2"), ("Maybe", "3"))),
            "it has 3 outcomes, where a hedge needs two",
        ),
        (
            depeg(OUR_TERMS, outcomes=(("Yes", "1"), ("No", ""))),
            "its outcomes have no names or no tokens that tell them apart",
        ),
        (
            depeg("USDC trades above $1.02" + UNTIL, question="Will USDC trade above $1.02 in 2027?"),
            "it pays on a price above $1.02, and we insure a fall",
        ),
        (
            depeg("USDC returns above $1" + UNTIL, question="Will USDC regain its peg in 2027?"),
            "it pays when the peg comes back, which is the end of the insured event",
        ),
        (
            depeg(OUR_TERMS, question="Will USDC and USDT both depeg in 2027?"),
            "it needs several coins at once (USDC, USDT)",
        ),
        (depeg("UST trades below $0.98", question="UST depeg in 2027?"), "it names no coin of ours"),
        (replace(USDC_2026, closed=True), "it is closed or takes no orders"),
        (replace(USDC_2026, accepting_orders=False), "it is closed or takes no orders"),
        (replace(USDC_2026, resolution_status="proposed"), "its resolution has begun (proposed)"),
        (replace(USDC_2026, end_at=datetime(2026, 11, 1, tzinfo=UTC)), "it ended on 01 November 2026"),
        (replace(USDC_2026, condition_id=""), "the venue does not name its condition"),
    ],
)  # fmt: skip
def test_what_is_no_hedge_or_cannot_be_told_is_not_proposed(market: MarketListing, why: str) -> None:
    found = one(market)
    assert (found.grade, found.products, found.reasons) == ("none", (), (why,))


@pytest.mark.parametrize(
    ("kind", "question", "why"),
    [
        (CoverageType.BRIDGE, "Will the largest crypto hack of 2027 hit a bridge?", "it names the largest theft"),
        (CoverageType.SMART_CONTRACT, "Will Binance be hacked in 2027?", "it pays on a theft from an exchange"),
        (CoverageType.ORACLE, "Will Chainlink list on Coinbase in 2027?", "its words are about none of the events"),
    ],
)  # fmt: skip
def test_neighbours_of_a_peril_are_told_apart(kind: CoverageType, question: str, why: str) -> None:
    rules = f'This market will resolve to "Yes" if {question[5:-1]}. Otherwise "No".'
    assert one(listing(question, rules), kind).reasons[0].startswith(why)


def test_no_hack_pays_the_other_way() -> None:
    market = listing(
        "No crypto hack over $100M in 2027?",
        'This market will resolve to "Yes" if no hack of over $100 million of crypto occurs in 2027. Otherwise "No".',
    )
    assert one(market, CoverageType.SMART_CONTRACT).outcome.label == "No"


# ------------------------------------------------------------------------------------------- for every market
@given(
    price=st.decimals(min_value="0.80", max_value="0.99", places=3),
    hours=st.integers(min_value=1, max_value=168),
    is_kept=st.booleans(),
    is_turned=st.booleans(),
)
def test_a_proposal_never_buys_the_outcome_that_loses_when_the_policy_pays(
    price: Decimal, hours: int, is_kept: bool, is_turned: bool
) -> None:
    """However the market is turned, the token bought is the one that is paid when the coin falls."""
    falls = f"USDC trades below ${price} for {hours} hours{UNTIL}"
    holds = f"USDC never trades below ${price} for {hours} hours{UNTIL}"
    question = "Will USDC hold its peg in 2027?" if is_kept else "Will USDC depeg in 2027?"
    outcomes = (("Yes", "111"), ("No", "222"))
    market = depeg(
        holds if is_kept else falls, question=question, outcomes=outcomes[::-1] if is_turned else outcomes
    )
    found = one(market)
    assert found.outcome.instrument_id == ("222" if is_kept else "111")
    assert 0 <= found.basis_probability <= 1
    assert (found.grade == "none") == (found.products == ())
    trigger = price_trigger_of(falls)
    assert trigger is not None
    if found.products:
        assert (found.grade == "direct") == (found.basis_probability == 1)
        assert (found.basis_probability == 1) == (trigger.price >= Decimal("0.98") and hours <= 24)


@given(st.text(max_size=200), st.text(max_size=400), st.sampled_from(list(CoverageType)))
def test_no_words_break_a_search(question: str, description: str, kind: CoverageType) -> None:
    for found in find(listing(question, description), kind, horizon=HORIZON):
        assert found.reasons


def test_every_coin_with_a_market_is_searched_for_and_every_type_has_words() -> None:
    assert queries_for(DEPEG)[0] == "USDC depeg"
    assert len(queries_for(DEPEG)) == 14
    assert "USDP depeg" not in queries_for(DEPEG)
    assert all(queries_for(kind) for kind in CoverageType)
