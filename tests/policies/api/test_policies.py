"""POST and GET /api/v2/policies as a client sees them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connections
from rest_framework.test import APIClient

from policies.models import ExposureDelta, Policy, PolicyEvent, Product
from policies.services.policies import policy_cancel
from tests.policies.conftest import sale_terms
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing.models import ApiIdempotency

pytestmark = pytest.mark.django_db
URL = "/api/v2/policies"


def body(**changes: Any) -> dict[str, Any]:
    """An ordinary sale as JSON; a change to None leaves the field out."""
    ordinary = {
        "external_id": "order-1",
        "holder": "0xholder",
        "coverage_type": "depeg",
        "chain": "ethereum",
        "stablecoin": "USDC",
        "coverage_usd": "100000",
        "duration_days": 30,
    }
    return {name: value for name, value in (ordinary | changes).items() if value is not None}


def test_a_sale_answers_201_with_the_policy_and_where_it_is(shop: APIClient) -> None:
    answer = shop.post(URL, body())

    assert answer.status_code == 201
    assert answer["Location"] == "/api/v2/policies/order-1"
    told = answer.json()
    assert (told["external_id"], told["coverage_usd"], told["premium_usd"]) == (
        "order-1",
        "100000.000000",
        "65.750000",
    )
    assert (told["product_id"], told["coverage_type"], told["stablecoin"]) == (0, "depeg", "USDC")
    assert (told["trigger_price"], told["trigger_window_s"]) == ("0.9800000000", 86400)
    assert (told["status"], told["ended_at"], told["source"]) == ("active", None, "api:shop")
    assert PolicyEvent.objects.get().actor == "shop"


def test_the_same_sale_again_answers_200_with_the_same_policy(shop: APIClient) -> None:
    first = shop.post(URL, body())
    again = shop.post(URL, body())

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Policy.objects.count() == 1


def test_the_same_id_with_another_body_answers_409_and_changes_nothing(shop: APIClient) -> None:
    shop.post(URL, body())
    answer = shop.post(URL, body(coverage_usd="100001"))

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:tonsurance:problem:external_id_taken",
        "title": "Conflict",
        "status": 409,
        "detail": "external_id: order-1 is already sold with another coverage_usd",
        "errors": [
            {
                "field": "external_id",
                "message": "external_id: order-1 is already sold with another coverage_usd",
                "remedy": "choose a new external_id for a new sale, or repeat the first body unchanged",
            }
        ],
    }
    assert Policy.objects.get().coverage_usd == Decimal(100_000)


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"coverage_type": "quake"}, 422, "coverage_type"),
        ({"coverage_type": "smart_contract", "chain": "bitcoin"}, 422, "coverage_type"),
        ({"chain": 200}, 422, "chain"),
        ({"coverage_type": True}, 400, "coverage_type"),
        ({"stablecoin": ["USDC"]}, 400, "stablecoin"),
        ({"coverage_usd": "0"}, 422, "coverage_usd"),
        ({"coverage_usd": "-100"}, 422, "coverage_usd"),
        ({"coverage_usd": "999999999999"}, 422, "coverage_usd"),
        ({"coverage_usd": "1e400"}, 400, "coverage_usd"),
        ({"coverage_usd": "NaN"}, 400, "coverage_usd"),
        ({"coverage_usd": 100000.5}, 400, "coverage_usd"),
        ({"coverage_usd": "lots"}, 400, "coverage_usd"),
        ({"duration_days": 6}, 422, "duration_days"),
        ({"duration_days": 10**9}, 400, "duration_days"),
        ({"duration_days": "soon"}, 400, "duration_days"),
        ({"duration_days": None}, 422, "expires_at"),
        ({"expires_at": "2026-12-31T00:00:00Z"}, 422, "expires_at"),
        ({"duration_days": None, "expires_at": "2001-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"starts_at": "2001-01-01T00:00:00Z"}, 422, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, 422, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, 400, "starts_at"),
        ({"premium_usd": "1"}, 422, "premium_usd"),
        ({"trigger_price": "1.2"}, 422, "trigger_price"),
        ({"trigger_window_s": 1}, 422, "trigger_window_s"),
        ({"external_id": None}, 400, "external_id"),
        ({"external_id": "a b"}, 400, "external_id"),
        ({"external_id": "a\n"}, 400, "external_id"),
        ({"holder": ""}, 400, "holder"),
        ({"holder": "a\u0000b"}, 400, "holder"),
        ({"coverage_amount": "5"}, 400, "coverage_amount"),
    ],
)
def test_bad_input_names_its_field_and_remedy_and_changes_nothing(
    shop: APIClient, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = shop.post(URL, body(**changes))

    assert answer.status_code == status, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["message"] and error["remedy"] for error in problem["errors"])
    assert not Policy.objects.exists()
    assert not ExposureDelta.objects.exists()


def test_an_unknown_field_is_answered_with_the_name_that_was_meant(shop: APIClient) -> None:
    errors = shop.post(URL, body(duration=30, duration_days=None)).json()["errors"]

    assert errors == [
        {"field": "duration", "message": "duration: unknown field", "remedy": "did you mean duration_days?"}
    ]


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"\xff", b"null"])
def test_a_body_that_is_no_json_object_answers_400(shop: APIClient, content: bytes) -> None:
    answer = shop.post(URL, content, content_type="application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_key_is_needed_and_its_scope_counts(client_with: Callable[..., APIClient]) -> None:
    anyone = APIClient().get(URL)
    assert anyone.status_code == 401
    assert anyone["WWW-Authenticate"] == "Token"
    assert anyone.json()["errors"][0]["remedy"] == "send the header `Authorization: Token <key>`"

    reader = client_with("read")
    assert reader.get(URL).status_code == 200
    refused = reader.post(URL, body(), format="json")
    assert refused.status_code == 403
    assert refused.json()["detail"] == "this key lacks the scope write"
    assert refused.json()["errors"][0]["remedy"] == "use a key with the scope write"

    writer = client_with("write")
    assert writer.get(URL).status_code == 403
    assert writer.post(URL, body(), format="json").status_code == 201


def test_a_sale_rings_the_hedger_once_after_its_commit(
    shop: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    with patch("tonsurance.plumbing.bells._send", return_value=True) as sent:
        with django_capture_on_commit_callbacks(execute=True):
            shop.post(URL, body())
            assert not sent.called
        with django_capture_on_commit_callbacks(execute=True):
            shop.post(URL, body())

    assert [call.args for call in sent.call_args_list] == [("hedging.orchestrate", ("sale",), None)]


KEY = "3f1c2d9e-0000-4000-8000-000000000001"


def test_an_idempotency_key_is_answered_again_without_being_done_again(shop: APIClient) -> None:
    first = shop.post(URL, body(), headers={"Idempotency-Key": KEY})
    again = shop.post(URL, body(), headers={"Idempotency-Key": KEY})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again["Location"] == first["Location"]
    assert Policy.objects.count() == ApiIdempotency.objects.count() == 1


def test_an_idempotency_key_with_another_body_is_refused(shop: APIClient) -> None:
    shop.post(URL, body(), headers={"Idempotency-Key": KEY})
    answer = shop.post(URL, body(external_id="order-2"), headers={"Idempotency-Key": KEY})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:tonsurance:problem:idempotency_key_reused"
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Policy.objects.count() == 1


def test_two_clients_may_use_the_same_idempotency_key(client_with: Callable[..., APIClient]) -> None:
    for name in ("shop", "broker"):
        client = client_with("write", name=name)
        answer = client.post(URL, body(external_id=name), headers={"Idempotency-Key": KEY}, format="json")
        assert answer.status_code == 201

    assert Policy.objects.count() == 2


def test_a_refused_call_may_be_repeated_with_its_key(shop: APIClient) -> None:
    Product.objects.filter(pk=0).update(life="paused")
    assert shop.post(URL, body(), headers={"Idempotency-Key": KEY}).status_code == 422
    assert not ApiIdempotency.objects.exists()

    Product.objects.filter(pk=0).update(life="active")
    assert shop.post(URL, body(), headers={"Idempotency-Key": KEY}).status_code == 201


@pytest.mark.parametrize("key", ["short", "x" * 256, "with blank in the key", "ünïcödé-key-of-16"])
def test_a_malformed_idempotency_key_is_refused(shop: APIClient, key: str) -> None:
    answer = shop.post(URL, body(), headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["remedy"] == "send a fresh UUID"
    assert not Policy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sixteen_calls_with_one_key_have_one_effect_and_one_answer(
    client_with: Callable[..., APIClient],
) -> None:
    template = client_with("write")
    answers: list[tuple[int, bool]] = []
    start = threading.Barrier(16)

    def call() -> None:
        client = APIClient()
        client.defaults.update(template.defaults)
        try:
            start.wait()
            answer = client.post(URL, body(), headers={"Idempotency-Key": KEY}, format="json")
            answers.append((answer.status_code, "Idempotent-Replayed" in answer))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers.count((201, False)) == 1
    assert set(answers) <= {(201, False), (201, True), (409, False)}
    assert Policy.objects.count() == PolicyEvent.objects.count() == ApiIdempotency.objects.count() == 1


def test_the_list_is_newest_first_in_pages(shop: APIClient, sell: Callable[..., Policy]) -> None:
    for number in range(5):
        sell(external_id=f"p-{number}")

    page = shop.get(URL, {"page_size": 2, "page": 2}).json()

    assert page["count"] == 5
    assert [row["external_id"] for row in page["results"]] == ["p-2", "p-1"]
    assert "page=3" in page["next"]
    assert "page_size=2" in page["previous"]


def test_no_page_is_longer_than_a_hundred_rows_nor_without_end(
    shop: APIClient, sell: Callable[..., Policy]
) -> None:
    for number in range(101):
        sell(external_id=f"p-{number}")

    assert len(shop.get(URL, {"page_size": 5000}).json()["results"]) == 100
    assert shop.get(URL, {"page": 100_001}).status_code == 404


def test_the_list_takes_the_same_few_queries_however_long_it_is(
    shop: APIClient, sell: Callable[..., Policy], django_assert_num_queries: Any
) -> None:
    for number in range(60):
        sell(external_id=f"p-{number}", stablecoin="DAI" if number % 2 else "USDC")

    with django_assert_num_queries(3):  # the key, the count, the page with its products
        assert len(shop.get(URL, {"page_size": 50}).json()["results"]) == 50


def test_the_list_is_narrowed_by_its_filters(shop: APIClient, sell: Callable[..., Policy]) -> None:
    now = utc_now()
    sell(external_id="a")
    sell(external_id="b", coverage_type="bridge", chain="solana", stablecoin="DAI")
    ended = sell(external_id="c")
    policy_cancel(ended.pk, reason="test", actor="ada", now=now)

    def found(**query: str) -> list[str]:
        return [row["external_id"] for row in shop.get(URL, query).json()["results"]]

    created = Policy.objects.get(external_id="a").created_at
    assert found(status="active") == ["b", "a"]
    assert found(status="cancelled") == ["c"]
    assert found(coverage_type="bridge") == found(chain="solana") == found(stablecoin="DAI") == ["b"]
    assert found(coverage_type="bridge", stablecoin="USDC") == []
    assert found(external_id="a") == ["a"]
    assert found(created_before=created.isoformat()) == []
    assert found(created_after=created.isoformat()) == ["c", "b", "a"]
    assert found(created_after=(created + timedelta(seconds=1)).isoformat()) == []


def test_a_wrong_filter_is_refused_by_name(shop: APIClient) -> None:
    answer = shop.get(URL, {"status": "dead"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "status"


def test_a_policy_is_told_with_its_history(shop: APIClient, sell: Callable[..., Policy]) -> None:
    sell(**sale_terms(external_id="p-1"))

    told = shop.get(f"{URL}/p-1").json()

    assert told["external_id"] == "p-1"
    assert [event["kind"] for event in told["events"]] == ["sold"]


@pytest.mark.parametrize("name", ["nobody", "%00", "a%0Ab", "x" * 500, "%F0%9F%92%A9"])
def test_a_policy_that_is_not_there_answers_404(name: str, shop: APIClient) -> None:
    answer = shop.get(f"{URL}/{name}")

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["field"] == "external_id"
