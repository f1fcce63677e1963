"""A search reads so many pages and no more, and one market that cannot be read hides no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.venues.adapters.polymarket.samples import PRACTICE
from venues.adapters.polymarket.config import config_from
from venues.adapters.polymarket.gateway import Gateway
from venues.adapters.polymarket.search import SEARCH_PAGES_MAX, TAG_PAGES_MAX
from venues.domain.gateway import LookupFailed


def market(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "version": "v1",
        "conditionId": f"0x{number:064x}",
        "slug": f"market-{number}",
        "question": f"Question {number}?",
        "description": "Rules.",
        "outcomes": '["Yes", "No"]',
        "clobTokenIds": f'["{number}1", "{number}2"]',
        "acceptingOrders": True,
        "closed": False,
        "endDate": "2027-12-31T23:59:00Z",
        "negRisk": False,
        **values,
    }


class Catalogue:
    """A catalogue that never ends: every page has a market and says that there are more."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.markets: list[dict[str, Any]] = [market(1)]
        self.is_endless = True

    def answer(self, address: str) -> dict[str, Any]:
        told = urlsplit(address)
        query = {name: values[0] for name, values in parse_qs(told.query).items()}
        self.asked.append({"path": told.path, **query})
        event = {"slug": "event", "tags": [{"slug": "stablecoins"}], "markets": self.markets}
        if told.path.endswith("/public-search"):
            return {"events": [event], "pagination": {"hasMore": self.is_endless}}
        following = {"next_cursor": f"page-{len(self.asked)}"} if self.is_endless else {}
        return {"events": [event], **following}


@pytest.fixture
def catalogue() -> Iterator[Catalogue]:
    """The catalogue behind a real socket; `address` is set on it."""
    told = Catalogue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(told.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told.address = f"http://127.0.0.1:{server.server_port}/gamma"  # type: ignore[attr-defined]
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(catalogue: Catalogue) -> Iterator[Gateway]:
    made = Gateway(replace(config_from(PRACTICE), gamma_url=catalogue.address))  # type: ignore[attr-defined]
    yield made
    made.close()


def test_a_search_that_never_ends_is_ended(gateway: Gateway, catalogue: Catalogue) -> None:
    assert len(gateway.search_markets("usdc depeg")) == SEARCH_PAGES_MAX
    assert [(row["q"], row["page"]) for row in catalogue.asked] == [
        ("usdc depeg", str(page)) for page in range(1, SEARCH_PAGES_MAX + 1)
    ]


def test_a_shelf_that_never_ends_is_ended(gateway: Gateway, catalogue: Catalogue) -> None:
    assert len(gateway.list_markets("stablecoins")) == TAG_PAGES_MAX
    assert [row.get("after_cursor") for row in catalogue.asked] == [
        None, *(f"page-{page}" for page in range(1, TAG_PAGES_MAX)),
    ]  # fmt: skip
    assert {(row["tag_slug"], row["closed"]) for row in catalogue.asked} == {("stablecoins", "false")}


def test_the_last_page_ends_a_search(gateway: Gateway, catalogue: Catalogue) -> None:
    catalogue.is_endless = False
    assert len(gateway.search_markets("usdc")) == len(gateway.list_markets("stablecoins")) == 1
    assert len(catalogue.asked) == 2


def test_a_market_that_cannot_be_read_hides_no_other(gateway: Gateway, catalogue: Catalogue) -> None:
    catalogue.is_endless = False
    catalogue.markets = [market(1, endDate="soon"), market(2, outcomes="[broken"), market(3, version="v9")]
    found = gateway.search_markets("usdc")
    assert [(row.market_id, row.version) for row in found] == [("3", "v9")]


def test_a_listing_says_what_the_catalogue_says(gateway: Gateway, catalogue: Catalogue) -> None:
    catalogue.is_endless = False
    catalogue.markets = [
        market(7, negRisk=True, umaResolutionStatus="proposed", tags=[{"slug": "crypto"}]),
        market(8, version="v2", clobTokenIds=None, positionIds=["81", "82"], resolutionStatus="active"),
        market(9, closed=True, umaResolutionStatus="requested"),
    ]
    first, second, third = gateway.search_markets("usdc")
    assert (first.outcomes, first.neg_risk, first.resolution_status, first.tags) == (
        (("Yes", "71"), ("No", "72")), True, "proposed", ("crypto", "stablecoins"),
    )  # fmt: skip
    assert (second.outcomes, second.version, second.resolution_status) == (
        (("Yes", "81"), ("No", "82")),
        "v2",
        "",
    )
    assert (third.closed, third.accepting_orders, third.resolution_status) == (True, False, "")


def test_half_an_answer_is_none(gateway: Gateway, catalogue: Catalogue) -> None:
    catalogue.markets = "not a list"  # type: ignore[assignment]
    with pytest.raises(LookupFailed, match="search: markets is not a list"):
        gateway.search_markets("usdc")
