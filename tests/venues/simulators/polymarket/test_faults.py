"""Each fault as its sender feels it, and what the exchange really did meanwhile."""

from __future__ import annotations

import http.client
import time

import pytest
from polymarket import errors

from tests.venues.simulators.polymarket.rig import ALICE, USDC, Caller, Exchange

BOOK = {"bids": [["0.020", "400"]], "asks": [["0.030", "3500"]]}


@pytest.fixture
def client(exchange: Exchange):
    exchange.admin("/fund", address=ALICE, pusd="1000")
    exchange.admin("/book", slug=USDC, **BOOK)
    return exchange.signed_in()


def _order(exchange: Exchange, client):
    return client.create_market_order(
        token_id=exchange.tokens(USDC)[0], side="BUY", amount="3", max_price="0.03"
    )


def _placed(exchange: Exchange) -> int:
    return len(exchange.truth()["orders"])


@pytest.mark.parametrize(
    ("kind", "raised", "placed"),
    [
        ("reset_before", errors.TransportError, 0),
        ("reset_after", errors.TransportError, 1),
        ("timeout_before", errors.TransportError, 0),
        ("timeout_after", errors.TransportError, 1),
        ("broken_json", errors.UnexpectedResponseError, 1),
        ("empty", errors.UnexpectedResponseError, 1),
        ("server_error", errors.RequestRejectedError, 0),
        ("server_error_after", errors.RequestRejectedError, 1),
        ("cloudflare", errors.RequestRejectedError, 0),
        ("rate_limit", errors.RateLimitError, 0),
    ],
)
def test_a_fault_strikes_once_and_the_same_bytes_tell_what_happened(exchange, client, kind, raised, placed):
    exchange.admin("/faults", kind=kind, method="POST", seconds=0.3)
    order = _order(exchange, client)
    with pytest.raises(raised):
        client.post_order(order)
    assert _placed(exchange) == placed
    if placed:
        with pytest.raises(errors.RequestRejectedError, match="Duplicated"):
            client.post_order(order)
    else:
        assert client.post_order(order).ok
    assert _placed(exchange) == 1
    (strike,) = exchange.get("/admin/faults")["log"]
    assert (strike["kind"], strike["path"]) == (kind, "/clob/order")


def test_a_late_accept_places_the_order_after_its_sender_is_gone(exchange, client):
    exchange.admin("/faults", kind="late_accept", seconds=0.4)
    order = _order(exchange, client)
    with pytest.raises(errors.TransportError):
        client.post_order(order)
    assert _placed(exchange) == 0
    deadline = time.monotonic() + 5
    while _placed(exchange) == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _placed(exchange) == 1
    with pytest.raises(errors.RequestRejectedError, match="Duplicated"):
        client.post_order(order)


@pytest.mark.parametrize(("headers", "wait"), [(True, 1.0), (False, None)])
def test_a_rate_limit_may_or_may_not_say_how_long(exchange, client, headers, wait):
    exchange.admin("/faults", kind="rate_limit", headers=headers)
    with pytest.raises(errors.RateLimitError) as limited:
        client.post_order(_order(exchange, client))
    assert limited.value.retry_after == wait


def test_the_text_of_a_server_error_is_the_venues(exchange, client):
    exchange.admin("/faults", kind="server_error")
    with pytest.raises(errors.RequestRejectedError, match="order timed out") as failed:
        client.post_order(_order(exchange, client))
    assert failed.value.status == 500


def test_cloudflare_answers_with_a_page(exchange):
    exchange.admin("/fund", address=ALICE, pusd="10")
    caller = Caller(exchange)
    exchange.admin("/faults", kind="cloudflare")
    with pytest.raises(ValueError):
        caller.post(caller.order())


def test_a_restart_is_425_then_post_only_then_over(exchange, client):
    order = _order(exchange, client)
    exchange.admin("/faults", kind="restart", seconds=90, post_only_seconds=120)
    with pytest.raises(errors.RequestRejectedError) as restarting:
        client.post_order(order)
    assert (restarting.value.status, restarting.value.restriction) == (425, "restarting")
    exchange.admin("/clock", advance_seconds=91)
    exchange.admin("/faults", kind="slow", seconds=0, count=0)
    with pytest.raises(errors.RequestRejectedError) as post_only:
        _with_time(client, 91).post_order(order)
    assert (post_only.value.status, post_only.value.restriction) == (503, "post_only")
    assert post_only.value.retry_after == pytest.approx(119, abs=2)
    exchange.admin("/clock", offset_seconds=0)
    exchange.call("DELETE", "/admin/faults")
    assert client.post_order(order).ok


def test_cancel_only_takes_cancels(exchange, client):
    yes, _ = exchange.tokens(USDC)
    resting = client.place_limit_order(token_id=yes, side="BUY", price="0.01", size="100")
    exchange.admin("/faults", kind="cancel_only")
    with pytest.raises(errors.RequestRejectedError) as refused:
        client.post_order(_order(exchange, client))
    assert (refused.value.status, refused.value.restriction) == (503, "cancel_only")
    assert client.cancel_order(order_id=resting.order_id).canceled == (resting.order_id,)


def test_disabled_trading_says_so(exchange, client):
    exchange.admin("/faults", kind="disabled")
    with pytest.raises(errors.RequestRejectedError, match="Trading is currently disabled"):
        client.post_order(_order(exchange, client))


def test_terminal_orders_may_be_null(exchange, client):
    answer = client.post_order(_order(exchange, client))
    assert client.get_order(order_id=answer.order_id).status == "MATCHED"
    exchange.admin("/faults", kind="order_null")
    caller = Caller.__new__(Caller)
    caller.exchange, caller.address = exchange, ALICE
    creds = client.credentials
    caller.key = creds.key
    caller.credentials = {"apiKey": creds.key, "secret": creds.secret, "passphrase": creds.passphrase}
    assert caller.call("GET", f"/data/order/{answer.order_id}") == (200, None)


def test_look_ups_may_lag(exchange, client):
    exchange.admin("/faults", kind="lookup_lag", lag_seconds=60)
    answer = client.post_order(_order(exchange, client))
    with pytest.raises(errors.RequestRejectedError) as missing:
        client.get_order(order_id=answer.order_id)
    assert missing.value.status == 404
    assert client.list_account_trades().first_page().items == ()
    exchange.call("DELETE", "/admin/faults")
    assert len(client.list_account_trades().first_page().items) == 1


def test_trades_may_come_twice(exchange, client):
    answer = client.post_order(_order(exchange, client))
    exchange.admin("/faults", kind="duplicate_trades")
    rows = client.list_account_trades().first_page().items
    assert [row.id for row in rows] == [answer.trade_ids[0]] * 2


def test_a_book_may_be_stale(exchange, client):
    yes, _ = exchange.tokens(USDC)
    exchange.admin("/faults", kind="stale_book")
    before = client.get_order_book(token_id=yes)
    client.post_order(_order(exchange, client))
    assert client.get_order_book(token_id=yes) == before
    exchange.call("DELETE", "/admin/faults")
    assert client.get_order_book(token_id=yes) != before


def test_a_batch_leg_may_be_a_success_without_an_id(exchange, client):
    exchange.admin("/faults", kind="batch_empty_id")
    poor = client.create_market_order(
        token_id=exchange.tokens(USDC)[0], side="BUY", amount="5000", max_price="0.03"
    )
    (refused,) = client.post_orders([poor])
    assert (refused.ok, refused.code) == (False, "not_enough_balance")


def test_a_plan_strikes_the_same_requests_each_time_it_is_played(exchange):
    plan = {
        "seed": 7,
        "faults": [{"kind": "server_error", "path": "/clob/time", "probability": 0.5, "count": None}],
    }

    def struck() -> list[int]:
        exchange.admin("/faults", **plan)
        return [exchange.call("GET", "/clob/time")[0] for _ in range(20)]

    first = struck()
    assert first == struck()
    assert set(first) == {200, 500}
    plan["seed"] = 8
    assert struck() != first


def test_a_rule_lets_some_pass_first(exchange):
    exchange.admin("/faults", kind="server_error", path="/clob/time", skip=2, count=2)
    assert [exchange.call("GET", "/clob/time")[0] for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_an_unknown_fault_changes_nothing(exchange):
    status, answer = exchange.call("POST", "/admin/faults", {"faults": [{"kind": "slow"}, {"kind": "flood"}]})
    assert status == 400
    assert "unknown fault 'flood'" in answer["error"]
    assert exchange.get("/admin/faults")["rules"] == []


def _with_time(client, seconds: float):
    """Return the client with its clock as far ahead as the exchange's."""
    real = time.time

    class Ahead:
        def __getattr__(self, name):
            return getattr(client, name)

        def post_order(self, order):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(time, "time", lambda: real() + seconds)
                return client.post_order(order)

    return Ahead()


def test_a_request_delivered_twice_is_answered_as_the_second_one(exchange, client):
    exchange.admin("/faults", kind="twice", method="POST")
    order = _order(exchange, client)
    with pytest.raises(errors.RequestRejectedError, match="Duplicated"):
        client.post_order(order)
    (placed,) = exchange.truth()["orders"].values()
    assert placed["filled_shares"] == "100"


@pytest.mark.parametrize("kind", ["timeout_after", "reset_after", "late_accept"])
def test_a_refusal_is_lost_like_any_other_answer(exchange, client, kind):
    exchange.admin("/account", address=ALICE, standing="banned")
    exchange.admin("/faults", kind=kind, method="POST", seconds=0.1)
    with pytest.raises(errors.TransportError):
        client.post_order(_order(exchange, client))
    assert _placed(exchange) == 0


@pytest.mark.parametrize(
    ("tick", "error"),
    [("", "breaks minimum tick size rule: 0.01"), ("0.1", "breaks minimum tick size rule: 0.1")],
)
def test_a_tick_may_change_between_signature_and_post(exchange, tick, error):
    exchange.admin("/fund", address=ALICE, pusd="100")
    caller = Caller(exchange)
    order = caller.order(order_type="GTC", maker_amount=2_500_000)
    exchange.admin("/faults", kind="tick_change", method="POST", **({"tick": tick} if tick else {}))
    status, answer = caller.post(order)
    assert (status, answer["error"].endswith(error)) == (400, True)
    assert exchange.truth()["orders"] == {}


def test_ghost_fills_and_retries_happen_to_the_share_of_trades_that_was_asked_for(exchange, client):
    exchange.admin("/faults", kind="ghost_fills", probability=1.0)
    client.post_order(_order(exchange, client))
    exchange.admin("/settlement/run")
    (ghost,) = exchange.truth()["trades"].values()
    assert ghost["status"] == "FAILED"
    exchange.admin("/faults", seed=1, faults=[{"kind": "retrying_fills"}])
    exchange.admin("/settlement", mined_seconds=60, confirmed_seconds=60)
    client.post_order(_order(exchange, client))
    exchange.admin("/clock", advance_seconds=61)
    statuses = {trade["status"] for trade in exchange.truth()["trades"].values()}
    assert statuses == {"FAILED", "RETRYING"}
    exchange.admin("/faults", seed=1, faults=[])
    exchange.admin("/settlement/run")
    assert {trade["status"] for trade in exchange.truth()["trades"].values()} == {"FAILED", "CONFIRMED"}
    assert exchange.truth()["money"]["is_conserved"]


# ------------------------------------------------------------------------------------------------ storms
def _afternoon(exchange: Exchange, *, seed: int) -> list[tuple[str, str, str]]:
    """Make the same hundred requests under a storm and return what it struck."""
    exchange.admin("/reset")
    exchange.admin("/fund", address=ALICE, pusd="100")
    caller = Caller(exchange)
    orders = [caller.order(order_type="GTC", maker_amount=2_500_000, salt=salt) for salt in range(20)]
    exchange.admin("/faults", seed=seed, storm=0.3, seconds=0.01)
    for order in orders:
        for ask in (
            lambda: exchange.call("GET", "/clob/time"),
            lambda: exchange.call("GET", "/gamma/markets/keyset?limit=1"),
            lambda order=order: caller.post(order),
            lambda: caller.call("GET", "/data/trades"),
            lambda: exchange.call("POST", "/clob/books", []),
        ):
            try:
                ask()
            except (OSError, http.client.HTTPException, ValueError):
                continue
    struck = exchange.get("/admin/faults")["log"]
    exchange.admin("/faults", seed=1, faults=[])
    return [(row["kind"], row["method"], row["path"]) for row in struck]


def test_a_storm_strikes_its_share_of_everything_and_can_be_played_again(exchange):
    first = _afternoon(exchange, seed=7)
    assert 15 <= len(first) <= 45, "about three in ten of a hundred"
    assert len({kind for kind, _, _ in first}) >= 6
    assert len({path for _, _, path in first}) == 5
    assert _afternoon(exchange, seed=7) == first
    assert _afternoon(exchange, seed=8) != first


def test_a_storm_is_a_share_and_leaves_the_admin_door_alone(exchange):
    assert exchange.call("POST", "/admin/faults", {"storm": 1})[0] == 400
    exchange.admin("/faults", seed=1, storm=0.999, seconds=0.01)
    assert all(exchange.call("GET", "/admin/truth")[0] == 200 for _ in range(20))
