"""Numbers and moments as the venue spells them, exactly or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.adapters.polymarket import wire
from venues.adapters.polymarket.wire import Unreadable


def test_a_json_fraction_keeps_every_digit() -> None:
    assert wire.read_json(b'{"mts":0.0001,"big":0.1000000000000000055}') == {
        "mts": Decimal("0.0001"),
        "big": Decimal("0.1000000000000000055"),
    }


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"NaN", b"[Infinity]", b"\xff", b"[" * 50_000, b"9" * 5000]
)
def test_what_is_not_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        wire.read_json(body)


@given(st.binary(max_size=200))
def test_reading_gives_a_value_or_says_unreadable(body: bytes) -> None:
    try:
        wire.read_json(body)
    except Unreadable:
        return


@pytest.mark.parametrize(
    "value", ["1e3", " 1", "1_000", "0x10", "", "+1", "NaN", "١", None, True, 1.5, [], Decimal("NaN")]
)
def test_what_is_not_a_plain_number_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        wire.exact(value, name="size")


def test_numbers_in_all_their_spellings() -> None:
    assert wire.exact("100.0000", name="size") == Decimal(100)
    assert wire.exact(7, name="size") == Decimal(7)
    assert wire.exact(Decimal("0.07"), name="rate") == Decimal("0.07")
    assert wire.whole(Decimal("1.0"), name="exponent") == 1


def test_base_units_are_millionths_even_for_an_unlimited_allowance() -> None:
    assert wire.base_units("1000000001", name="balance") == Decimal("1000.000001")
    assert wire.base_units(str(2**256 - 1), name="allowance") == Decimal(
        "115792089237316195423570985008687907853269984665640564039457584007913129.639935"
    )


@pytest.mark.parametrize(
    "value", ["1795000000", 1795000000, "1795000000000", "2026-11-18T11:06:40Z", "2026-11-18T11:06:40"]
)
def test_moments_in_seconds_milliseconds_and_text(value: object) -> None:
    assert wire.moment(value, name="time") == datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "soon", "-5", "99999999999999999", None, "2026-13-01"])
def test_moments_that_make_no_sense_are_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        wire.moment(value, name="time")
