"""Settings: typed, ranged, refused with the remedy, and safe when nobody has set anything."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.domain.config import SETTINGS, HedgeSettings, Kind, parse_value, settings_from
from tonsurance.kernel.errors import Refused

D = Decimal


def refusal(name: str, value: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_value(name, value)
    return caught.value


def test_trading_is_off_and_the_documents_numbers_hold_until_somebody_says_otherwise() -> None:
    defaults = settings_from({})
    assert defaults.enabled is False
    assert defaults.slippage_bps_max == 100
    assert defaults.cycle_every_seconds == 300
    assert defaults.payout_cover_max == D("1")
    assert defaults.price_max == D("0.60")
    assert dict(defaults.venue_shares) == {
        "polymarket": D("0.4"),
        "binance_futures": D("0.4"),
        "allianz": D("0.2"),
    }


def test_every_default_is_a_value_that_its_own_setting_takes() -> None:
    for item in SETTINGS.values():
        assert item.parse(item.as_json(item.default)) == item.default
        assert item.description.endswith(".")


def test_every_setting_has_its_field_and_every_field_its_setting() -> None:
    assert {item.attribute for item in SETTINGS.values()} == {item.name for item in fields(HedgeSettings)}


def test_what_is_stored_comes_back_through_json_unchanged() -> None:
    changed = settings_from({"enabled": True, "priceMax": "0.25", "venueShares": {"polymarket": "1"}})
    assert settings_from(json.loads(json.dumps(changed.as_json()))) == changed


@pytest.mark.parametrize(
    "name, value, typed",
    [
        ("enabled", True, True),
        ("maxSlippageBps", 250, 250),
        ("maxSlippageBps", "250", 250),
        ("maxSlippageBps", 250.0, 250),
        ("priceMax", 0.3, D("0.3")),
        ("priceMax", "0.30", D("0.3")),
        ("depthParticipation", 1, D("1")),
        ("venueShares", {"polymarket": 0.7, "allianz": "0.3"}, {"polymarket": D("0.7"), "allianz": D("0.3")}),
    ],
)
def test_good_values(name: str, value: Any, typed: Any) -> None:
    assert parse_value(name, value) == typed


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("enabled", 1, "enabled: give true or false, not 1"),
        ("enabled", "true", "enabled: give true or false, not 'true'"),
        ("maxSlippageBps", -1, "maxSlippageBps: give a whole number from 0 to 10000, not -1"),
        ("maxSlippageBps", 10_001, "from 0 to 10000"),
        ("maxSlippageBps", 1.5, "a whole number"),
        ("maxSlippageBps", True, "a whole number"),
        ("maxSlippageBps", None, "a whole number"),
        ("maxSlippageBps", [100], "a whole number"),
        ("priceMax", "cheap", "priceMax: give a number from 0.001 to 0.999, not 'cheap'"),
        ("priceMax", "NaN", "a number"),
        ("priceMax", float("inf"), "a number"),
        ("priceMax", 1, "from 0.001 to 0.999"),
        (
            "venueShares",
            {"polymarket": "0.9"},
            "venueShares: the shares must add up to 1, these add up to 0.9",
        ),
        ("venueShares", {"polymarket": "1.5", "allianz": "-0.5"}, "from 0 to 1"),
        ("venueShares", {}, "an object of venue codes"),
        ("venueShares", "polymarket", "an object of venue codes"),
    ],
)
def test_bad_values_name_the_field_and_the_remedy(name: str, value: Any, words: str) -> None:
    error = refusal(name, value)
    assert words in error.message
    assert (error.field, error.code) == (name, "invalid_value")


def test_an_unknown_key_is_answered_with_all_that_are_known() -> None:
    error = refusal("maxSlipageBps", 1)
    assert (error.field, error.code) == ("key", "unknown_key")
    assert error.message.startswith("key: there is no setting 'maxSlipageBps'; valid keys are ")
    assert all(name in error.message for name in SETTINGS)


def test_the_bounds_of_a_plan_are_the_settings() -> None:
    limits = settings_from({"priceMax": "0.3", "maxSlippageBps": 700, "bookMaxAgeSeconds": 5}).plan_limits()
    assert (limits.price_max, limits.slippage_bps_max, limits.book_max_age) == (
        D("0.3"),
        D(700),
        timedelta(seconds=5),
    )
    assert limits.cost_usd_max_per_instrument == D("250000")
    assert limits.notional_usd_max_per_order is None


@given(
    name=st.sampled_from(sorted(SETTINGS)),
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.floats() | st.text(max_size=3), max_size=2),
)
def test_whatever_comes_in_is_taken_within_range_or_refused(name: str, value: Any) -> None:
    item = SETTINGS[name]
    try:
        typed = parse_value(name, value)
    except Refused:
        assert refusal(name, value).field == name
        return
    if item.kind in (Kind.WHOLE, Kind.DECIMAL):
        assert item.low is not None and item.high is not None
        assert item.low <= typed <= item.high
        assert not isinstance(typed, float)
