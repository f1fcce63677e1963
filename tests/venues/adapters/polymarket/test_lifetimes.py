"""Every order dies by itself, at a moment that the venue would take."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.venues.adapters.polymarket.samples import CREATED_AT, practice_config, request
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.lifetimes import expiration_of, fence_of, refuse_short_life
from venues.adapters.polymarket.signers import signer_of
from venues.adapters.polymarket.signing import prepare_order
from venues.domain.gateway import OrderRequest, Prepared, TimeInForce

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONFIG = practice_config()


def resting(**changes: Any) -> OrderRequest:
    return request(**{"time_in_force": TimeInForce.GTD, "expires_at": CREATED_AT + HOUR, **changes})


def prepared(order: OrderRequest) -> Prepared:
    return prepare_order(order, config=CONFIG, signer=signer_of(CONFIG))


def refusal(order: OrderRequest, *, now: datetime = NOW) -> Refused:
    with pytest.raises(Refused) as caught:
        refuse_short_life(order, now=now)
    return caught.value


def test_the_bytes_carry_the_moment_in_whole_seconds_that_are_never_later() -> None:
    body = json.loads(prepared(resting()).payload)

    # 13:00:00.123456 UTC, cut to the second.
    assert (body["orderType"], body["order"]["expiration"]) == ("GTD", "1795266000")
    assert "postOnly" not in body


def test_post_only_is_said_beside_the_order() -> None:
    body = json.loads(prepared(resting(post_only=True)).payload)

    assert body["postOnly"] is True
    assert list(body) == ["deferExec", "order", "orderType", "owner", "postOnly"]


def test_the_moment_is_no_part_of_the_orders_name() -> None:
    early, late = prepared(resting()), prepared(resting(expires_at=CREATED_AT + 2 * HOUR))

    assert early.client_order_id == late.client_order_id
    assert early.payload != late.payload


def test_the_fence_is_the_moment_itself() -> None:
    assert prepared(resting()).fence_at == datetime(2026, 11, 21, 13, 0, 0, tzinfo=UTC)
    assert fence_of(0) is None


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (resting(expires_at=None), "expires_at"),
        (request(expires_at=CREATED_AT + HOUR), "expires_at"),
        (request(post_only=True), "post_only"),
        (request(time_in_force=TimeInForce.FOK, post_only=True), "post_only"),
    ],
)
def test_a_life_that_does_not_fit_the_kind_is_refused(order: OrderRequest, field: str) -> None:
    with pytest.raises(Refused) as caught:
        expiration_of(order)

    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field}: ")


def test_three_minutes_ahead_is_enough_and_a_second_less_is_not() -> None:
    refuse_short_life(resting(expires_at=NOW + timedelta(seconds=180)), now=NOW)
    error = refusal(resting(expires_at=NOW + timedelta(seconds=179, microseconds=999_999)))

    assert (error.field, error.code) == ("expires_at", "order_rules")
    assert "179 s ahead" in error.message


def test_a_moment_that_has_passed_or_lies_years_ahead_is_refused() -> None:
    assert refusal(resting(expires_at=NOW - HOUR)).field == "expires_at"
    assert "within a year" in refusal(resting(expires_at=NOW + timedelta(days=400))).message


def test_an_order_that_fills_at_once_has_no_life_to_refuse() -> None:
    refuse_short_life(request(), now=NOW)


def test_the_gateway_looks_at_the_clock_before_it_signs() -> None:
    with pytest.raises(Refused):
        Gateway(CONFIG).prepare(resting(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
