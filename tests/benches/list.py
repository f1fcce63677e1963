"""The list of hedge positions, a page of 100 out of `policies` of them, against a view that does nothing.

Ours is the API's own view with all a caller's request meets there: the key, its scope, reading of the query, the
page. It is measured against an empty APIView twice: (1) both called as Django calls a view and both asking for the
key; (2) both through the whole of Django with every middleware, the empty one asking for no key. The strictest
comparison, ours with its key against an empty view without, and no middleware, is told beside them. The page must hold
the hundred newest positions as they stand in the table, and must ask the database two things at most: the key's owner
and the page (the planner's estimate of the count, asked at most once a minute, is asked before). CPU of Python; the
wall beside it.
"""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.views import APIView

from hedging.api.positions import HedgePositionOut, PositionList
from hedging.models import HedgePosition
from hedging.selectors.positions import PositionsAsked, positions_page
from hedging.services.attributions import attributions_make
from policies.models import Product
from policies.selectors.exposure import exposure_by_product
from tests import factories as make
from tests.benches.book import book_sample, vacuum
from tests.benches.result import BenchResult, BenchScale, Figure, Goal, WrongAnswer
from tests.benches.rounds import Paired, cpu, paired_by, timed, wall
from tonsurance.kernel.clock import utc_now

VIEW = Goal(name="CPU of the view against an empty one", at_most=10)
REQUEST = Goal(name="CPU of the request against one to an open empty view", at_most=10)
GOALS = (VIEW, REQUEST)
FULL = BenchScale(policies=1_000_000, rounds=40)
SMALL = BenchScale(policies=5_000, rounds=10)

PAGE = 100
QUERIES_MAX = 2
CALLS = 10
MARKETS = 40
URL = f"/api/v2/hedges/positions?page_size={PAGE}"
EMPTY_URL = "/bench/empty"


class Empty(APIView):
    """Answers nothing to those who have a key."""

    def get(self, request: Request) -> HttpResponse:
        """Nothing."""
        return HttpResponse("{}", content_type="application/json")


class OpenEmpty(Empty):
    """Answers nothing to anybody."""

    authentication_classes = []
    permission_classes = []


# With the project's own addresses, for the way through the whole of Django.
urlpatterns = [path("bench/empty", OpenEmpty.as_view()), path("", include("tonsurance.urls"))]


def run(scale: BenchScale) -> BenchResult:
    """Hedge `policies` policies and list the newest."""
    now = utc_now()
    book_sample(scale.policies, now=now)
    hedge_all(scale.policies, now=now)
    headers = {"Authorization": f"Token {make.api_key('read')}"}
    factory = RequestFactory(SERVER_NAME="localhost")
    page = _called(PositionList.as_view(), lambda: factory.get(URL, headers=headers))
    empty = _called(Empty.as_view(), lambda: factory.get(EMPTY_URL, headers=headers))
    open_empty = _called(OpenEmpty.as_view(), lambda: factory.get(EMPTY_URL))
    body = json.loads(page().content)
    _check_page(body)
    with CaptureQueriesContext(connection) as asked:
        page()
    if len(asked) > QUERIES_MAX:
        raise WrongAnswer(f"a page asked the database {len(asked)} things")
    view = _measure(scale.rounds, ours=page, empty=empty)
    strict = _measure(scale.rounds, ours=page, empty=open_empty)
    selected = _measure(
        scale.rounds, ours=lambda: positions_page(PositionsAsked(page_size=PAGE)), empty=_by_models
    )
    with override_settings(ROOT_URLCONF=__name__, SECURE_SSL_REDIRECT=False), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No directory at")  # static files, which nobody asks for here
        client = Client(SERVER_NAME="localhost")
        request = _measure(
            scale.rounds,
            ours=lambda: _answered(client.get(URL, headers=headers)),
            empty=lambda: _answered(client.get(EMPTY_URL)),
        )
    return BenchResult(
        ratios={VIEW.name: view["cpu"].cost, REQUEST.name: request["cpu"].cost},
        figures=(
            *_figures("the view", view, empty="empty view"),
            *_figures("the request", request, empty="request to an open empty view"),
            Figure(
                name="an open empty view alone, CPU", value=strict["cpu"].baseline_s / CALLS * 1000, unit="ms"
            ),
            Figure(name="the view with its key against it, CPU", value=strict["cpu"].cost, unit="times"),
            Figure(name="the rows alone, CPU", value=selected["cpu"].ours_s / CALLS * 1000, unit="ms"),
            Figure(
                name="  by models and a serialiser",
                value=selected["cpu"].baseline_s / CALLS * 1000,
                unit="ms",
            ),
            *(
                Figure(name=f"the view asked for {words}, wall", value=seconds * 1000, unit="ms")
                for words, seconds in _rarely(lambda query: factory.get(f"{URL}&{query}", headers=headers))
            ),
        ),
        notes=(
            f"the page tells of {body['count']:,} positions and holds the newest {PAGE} as the table has them",
        ),
    )


def hedge_all(policies: int, *, now: datetime) -> None:
    """Buy cover for every product on one of MARKETS markets, and let the product's own service divide it."""
    venue = make.venue()
    products = sorted(exposure_by_product())
    tokens = [make.instrument(at=venue) for _ in products[:MARKETS]]
    for number, token in enumerate(tokens):
        wanted = make.intent(token, demand=dict.fromkeys(products[number::MARKETS], "1000"))
        make.order(wanted, state="FILLED", fills=[{}])
    slices = attributions_make(venue.pk, now=now, every_s=0, instrument_rows=[token.pk for token in tokens])
    if slices != policies:
        raise WrongAnswer(f"{slices} slices for {policies} policies")
    vacuum("hedging_hedgeposition")


def _called(view: Callable[..., Any], request: Callable[[], HttpRequest]) -> Callable[[], HttpResponse]:
    return lambda: _answered(view(request()))


def _answered(response: Any) -> Any:
    if response.status_code != 200:
        raise WrongAnswer(f"the view answered {response.status_code}: {response.content[:200]!r}")
    return response


def _measure(rounds: int, *, ours: Callable[[], object], empty: Callable[[], object]) -> dict[str, Paired]:
    """CALLS calls of each a round."""

    def several(call: Callable[[], object]) -> None:
        for _ in range(CALLS):
            call()

    several(ours)
    several(empty)
    return paired_by(
        {"cpu": cpu, "wall": wall}, rounds, ours=lambda: several(ours), baseline=lambda: several(empty)
    )


def _by_models() -> str:
    """The same rows as Django's models and a DRF serialiser would write them."""
    return json.dumps(HedgePositionOut([_row(row) for row in _newest()], many=True).data, default=str)


def _newest() -> QuerySet[HedgePosition]:
    related = HedgePosition.objects.select_related("policy", "product", "attribution__order")
    return related.order_by("-id")[:PAGE]


def _rarely(request: Callable[[str], HttpRequest]) -> Iterator[tuple[str, float]]:
    """Filters that few or no rows pass: they must not cost a look at every row."""
    view = PositionList.as_view()
    rarest = HedgePosition.objects.values("product").annotate(rows=Count("id")).order_by("rows")[0]["product"]
    product = Product.objects.get(pk=rarest)
    asked = {
        "a rare product": f"coverage_type={product.coverage_type}&chain={product.chain}&asset={product.stablecoin}",
        "closed ones": "status=closed",
        "another venue": "venue=binance_futures",
        "a day without any": "opened_before=2020-01-02T00:00:00Z",
    }
    for words, query in asked.items():
        call = _called(view, lambda query=query: request(query))  # type: ignore[misc]
        call()
        yield words, statistics.median(timed(call) for _ in range(CALLS))


def _figures(name: str, measured: dict[str, Paired], *, empty: str) -> tuple[Figure, ...]:
    ms = 1000 / CALLS
    return tuple(
        Figure(name=f"{who}, {words}", value=seconds * ms, unit="ms")
        for clock, words in (("cpu", "Python CPU"), ("wall", "wall"))
        for who, seconds in ((name, measured[clock].ours_s), (f"  {empty}", measured[clock].baseline_s))
    )


def _check_page(body: dict[str, Any]) -> None:
    """The rows must be what Django's own models say of the newest hundred."""
    expected = [_row(row) for row in _newest()]
    if body["results"] != expected:
        raise WrongAnswer(f"the page says {body['results'][:1]}, the table {expected[:1]}")


def _row(row: HedgePosition) -> dict[str, Any]:
    return {
        "position_id": f"HP-{row.pk}",
        "policy_id": row.policy_id,
        "policy_external_id": row.policy.external_id,
        "product_id": row.product_id,
        "coverage_type": row.product.coverage_type,
        "chain": row.product.chain,
        "asset": row.product.stablecoin,
        "venue": row.venue_id,
        "external_order_id": row.attribution.order.client_order_id,
        "size": str(row.size),
        "hedge_amount": str(row.hedge_amount_usd),
        "entry_price": str(row.entry_price),
        "entry_time": f"{row.entry_time:%Y-%m-%dT%H:%M:%S.%fZ}",
        "status": row.status,
        "realized_pnl": None,
        "close_time": None,
        "created_at": f"{row.created_at:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
