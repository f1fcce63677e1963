"""The positions list: the founding document's address, fields and filters, at the cost of two queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hedging.models import HedgePosition
from policies.models import Policy
from tests import factories as make
from tonsurance.plumbing.counts import COUNT_EXACT_MAX, estimates_forget

pytestmark = pytest.mark.django_db
URL = "/api/v2/hedges/positions"


@pytest.fixture(autouse=True)
def _fresh_estimates():
    estimates_forget()


@pytest.fixture
def ask(ask):
    """Ask the list."""

    def call(address: str = URL, **query: Any) -> tuple[int, dict[str, Any]]:
        return ask(address, **query)

    return call


def ids(body: dict[str, Any]) -> list[str]:
    return [row["position_id"] for row in body["results"]]


def test_one_position_is_told_field_by_field(ask):
    usdc = make.product("depeg", "solana", "USDC")
    policy = make.policy(usdc, external_id="POL-1")
    token = make.instrument()
    row = make.hedge(policy, token)

    status, body = ask(status="open")

    assert status == 200
    assert body == {
        "count": 1,
        "count_is_exact": True,
        "next": None,
        "previous": None,
        "results": [
            {
                "position_id": f"HP-{row.pk}",
                "policy_id": policy.pk,
                "policy_external_id": "POL-1",
                "product_id": usdc.pk,
                "coverage_type": "depeg",
                "chain": "solana",
                "asset": "USDC",
                "venue": "polymarket",
                "external_order_id": row.attribution.order.client_order_id,
                "size": "1000.00000000",
                "hedge_amount": "83.680000",
                "entry_price": "0.0800000000",
                "entry_time": "2026-11-21T12:00:00.000000Z",
                "status": "open",
                "realized_pnl": None,
                "close_time": None,
                "created_at": "2026-11-21T12:00:00.000000Z",
            }
        ],
    }


def test_a_closed_position_tells_its_profit_and_when(ask):
    row = make.closed(make.hedge(make.policy(make.product()), make.instrument()), proceeds_usd="192.5")
    _, body = ask(status="closed")
    assert ids(body) == [f"HP-{row.pk}"]
    assert body["results"][0]["realized_pnl"] == "108.820000"
    assert body["results"][0]["close_time"] == "2026-11-21T12:00:00.000000Z"
    assert ask(status="open")[1]["count"] == 0


def test_each_filter_leaves_exactly_its_rows(ask):
    token = make.instrument()
    a = make.hedge(make.policy(make.product("depeg", "ethereum", "USDC"), external_id="POL-A"), token)
    b = make.hedge(make.policy(make.product("bridge", "solana", "USDC"), external_id="POL-B"), token)
    later = make.NOW + timedelta(hours=1)
    sent = make.order(make.intent(token), state="FILLED", fills=[{"matched_at": later}])
    c = make.hedge_position(
        sent.fills.get(), make.policy(make.product("bridge", "solana", "DAI"), external_id="POL-C")
    )

    def found(**query: str) -> list[int]:
        return [int(name[3:]) for name in ids(ask(**query)[1])]

    assert found() == [c.pk, b.pk, a.pk]
    assert found(policy="POL-B") == [b.pk]
    assert found(policy="nobody") == []
    assert found(coverage_type="bridge") == [c.pk, b.pk]
    assert found(chain="ethereum") == [a.pk]
    assert found(asset="USDC", chain="solana") == [b.pk]
    assert found(venue="polymarket") == [c.pk, b.pk, a.pk]
    assert found(venue="allianz") == []
    assert found(opened_after="2026-11-21T13:00:00Z") == [c.pk]
    assert found(opened_before="2026-11-21T13:00:00Z") == [b.pk, a.pk]


def test_following_next_and_previous_visits_every_row_once_even_while_rows_are_added(ask):
    token, policy = make.instrument(), make.policy(make.product())
    rows = [make.hedge(policy, token).pk for _ in range(5)][::-1]

    _, first = ask(page_size=2, status="open")
    make.hedge(policy, token)
    _, second = ask(first["next"])
    _, third = ask(second["next"])

    assert ids(first) + ids(second) + ids(third) == [f"HP-{pk}" for pk in rows]
    assert (first["previous"], third["next"]) == (None, None)
    assert "status=open" in second["next"]
    _, back = ask(third["previous"])
    assert ids(back) == ids(second)
    _, top = ask(back["previous"])
    assert ids(top) == ids(first)
    assert top["previous"] is not None, "a row was added above the first page meanwhile"


def test_pages_by_number_work_as_clients_expect(ask):
    token, policy = make.instrument(), make.policy(make.product())
    rows = [make.hedge(policy, token).pk for _ in range(5)][::-1]
    _, body = ask(page=2, page_size=2)
    assert ids(body) == [f"HP-{pk}" for pk in rows[2:4]]
    assert body["count"] == 5
    assert ids(ask(page=3, page_size=2)[1]) == [f"HP-{rows[4]}"]
    assert ids(ask(page=4, page_size=2)[1]) == []


@pytest.mark.parametrize(
    "query, field",
    [
        ({"status": "opne"}, "status"),
        ({"chain": "dogecoin"}, "chain"),
        ({"page_size": "101"}, "page_size"),
        ({"page_size": "0"}, "page_size"),
        ({"page": "101", "page_size": "100"}, "page"),
        ({"page": "1", "before": "7"}, "before"),
        ({"opened_after": "yesterday"}, "opened_after"),
        ({"before": "9" * 30}, "before"),
        ({"colour": "red"}, "colour"),
        ({"policy": "x" * 65}, "policy"),
    ],
)
def test_a_faulty_question_names_its_field(ask, query, field):
    status, body = ask(**query)
    assert status == 400
    assert body["errors"][0]["field"] == field
    assert body["errors"][0]["remedy"]


def test_text_that_looks_like_sql_is_only_text(ask):
    make.hedge(make.policy(make.product()), make.instrument())
    assert ask(policy="x' OR 1=1 --")[1]["count"] == 0


def test_a_policy_id_with_quotes_comes_out_as_valid_json(ask):
    make.hedge(make.policy(make.product(), external_id='POL-"<b>'), make.instrument())
    assert ask()[1]["results"][0]["policy_external_id"] == 'POL-"<b>'


def test_the_page_costs_two_queries_the_key_and_the_rows(settings):
    settings.SECURE_SSL_REDIRECT = False
    token, policy = make.instrument(), make.policy(make.product())
    for _ in range(4):
        make.hedge(policy, token)
    key = make.api_key("read")
    with CaptureQueriesContext(connection) as queries:
        response = Client().get(f"{URL}?status=open", headers={"Authorization": f"Token {key}"})
    assert response.json()["count"] == 4
    assert len(queries) == 2


def test_beyond_a_thousand_rows_the_count_is_an_estimate_and_says_so(ask):
    policy, token = make.policy(make.product()), make.instrument()
    first = make.hedge(policy, token)
    _many(first, COUNT_EXACT_MAX - 1)
    assert (ask()[1]["count"], ask()[1]["count_is_exact"]) == (1000, True)

    _many(first, 2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hedging_hedgeposition")
    _, body = ask(page_size=1)
    assert body["count_is_exact"] is False
    assert 2700 <= body["count"] <= 3300
    with CaptureQueriesContext(connection) as queries:
        ask(page_size=1)
    assert len(queries) == 2, "the estimate is remembered for a minute"


def _many(like: HedgePosition, count: int) -> None:
    """Slices of the same attribution for `count` more policies."""
    connection.check_constraints()
    fields = [
        field.attname for field in Policy._meta.concrete_fields if field.attname not in {"id", "external_id"}
    ]
    terms = {name: getattr(like.policy, name) for name in fields}
    sold = Policy.objects.bulk_create(
        [Policy(external_id=f"M-{make.number()}", **terms) for _ in range(count)]
    )
    fields = [
        field.attname
        for field in HedgePosition._meta.concrete_fields
        if field.attname not in {"id", "policy_id"}
    ]
    slice_ = {name: getattr(like, name) for name in fields}
    HedgePosition.objects.bulk_create([HedgePosition(policy_id=policy.pk, **slice_) for policy in sold])


def test_without_a_key_nothing_is_told(settings):
    settings.SECURE_SSL_REDIRECT = False
    assert Client().get(URL).status_code == 401


def test_a_write_key_alone_does_not_read(settings):
    settings.SECURE_SSL_REDIRECT = False
    response = Client().get(URL, headers={"Authorization": f"Token {make.api_key('write')}"})
    assert response.status_code == 403


def test_nothing_can_be_posted(settings):
    settings.SECURE_SSL_REDIRECT = False
    response = Client().post(URL, headers={"Authorization": f"Token {make.api_key('read', 'write')}"})
    assert response.status_code == 405


def test_amounts_are_exact_to_the_last_place(ask):
    sent = make.order(make.intent(make.instrument()), state="FILLED", fills=[{}])
    row = make.hedge_position(sent.fills.get(), make.policy(make.product()))
    connection.check_constraints()
    row.pk, row.policy, row.hedge_amount_usd = None, make.policy(make.product()), "123456789012345678.123456"
    row.save()
    assert ask()[1]["results"][0]["hedge_amount"] == "123456789012345678.123456"
