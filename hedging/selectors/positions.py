"""Hedge positions as callers list them: one page of the newest first, as JSON that the database itself writes.

A hundred rows of a million in one query; Django's models and serialisers would take forty times the CPU of Python for
them (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from tonsurance.plumbing.counts import COUNT_EXACT_MAX, estimated_count


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionsAsked:
    """Filters and place of one page. None means: any.

    `product_ids` are the products that coverage type, chain and asset leave. `before` and `after` are ids that the page
    stays below or above; with `after` it is the page nearest to it. `offset` counts from the newest.
    """

    page_size: int
    offset: int = 0
    before: int | None = None
    after: int | None = None
    status: str | None = None
    venue: str | None = None
    policy: str | None = None
    product_ids: Sequence[int] | None = None
    opened_after: datetime | None = None
    opened_before: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionsPage:
    """`rows_json` is a JSON array. `count` ignores the place in the list and is exact while `count_is_exact`."""

    rows_json: str
    count: int
    count_is_exact: bool
    first_id: int | None
    last_id: int | None
    has_more: bool


_CONDITIONS = {
    "status": "h.status = %(status)s",
    "venue": "h.venue_id = %(venue)s",
    "policy": "h.policy_id = (SELECT id FROM policies_policy WHERE external_id = %(policy)s)",
    "product_ids": "h.product_id = ANY(%(product_ids)s)",
    "opened_after": "h.entry_time >= %(opened_after)s",
    "opened_before": "h.entry_time < %(opened_before)s",
}
_PLACES = {"before": "h.id < %(before)s", "after": "h.id > %(after)s"}
_MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_PAGE = """
    WITH page AS MATERIALIZED (
        SELECT h.*, row_number() OVER (ORDER BY h.id {direction}) AS rank
        FROM hedging_hedgeposition h WHERE {place}
        ORDER BY h.id {direction} LIMIT %(page_size)s + 1 OFFSET %(offset)s
    )
    SELECT
        coalesce(json_agg(json_build_object(
            'position_id', 'HP-' || h.id,
            'policy_id', h.policy_id,
            'policy_external_id', p.external_id,
            'product_id', h.product_id,
            'coverage_type', c.coverage_type,
            'chain', c.chain,
            'asset', c.stablecoin,
            'venue', h.venue_id,
            'external_order_id', o.client_order_id,
            'size', h.size::text,
            'hedge_amount', h.hedge_amount_usd::text,
            'entry_price', h.entry_price::text,
            'entry_time', to_char(h.entry_time AT TIME ZONE 'UTC', {moment}),
            'status', h.status,
            'realized_pnl', h.realised_pnl_usd::text,
            'close_time', to_char(h.close_time AT TIME ZONE 'UTC', {moment}),
            'created_at', to_char(h.created_at AT TIME ZONE 'UTC', {moment})
        ) ORDER BY h.id DESC) FILTER (WHERE h.rank <= %(page_size)s + %(offset)s), '[]')::text,
        max(h.id) FILTER (WHERE h.rank <= %(page_size)s + %(offset)s),
        min(h.id) FILTER (WHERE h.rank <= %(page_size)s + %(offset)s),
        count(*),
        (SELECT count(*) FROM (SELECT FROM hedging_hedgeposition h WHERE {filters} LIMIT %(count_max)s + 1) AS counted)
    FROM page h
    JOIN policies_policy p ON p.id = h.policy_id
    JOIN policies_product c ON c.id = h.product_id
    JOIN hedging_attribution a ON a.id = h.attribution_id
    JOIN hedging_order o ON o.id = a.order_id
"""


def positions_page(asked: PositionsAsked) -> PositionsPage:
    """One page in one query; one more, at most once a minute per filter, where the count is estimated."""
    chosen: dict[str, Any] = {name: getattr(asked, name) for name in (*_CONDITIONS, *_PLACES)}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    filters = [text for name, text in _CONDITIONS.items() if name in chosen]
    place = filters + [text for name, text in _PLACES.items() if name in chosen]
    params = chosen | {"page_size": asked.page_size, "offset": asked.offset, "count_max": COUNT_EXACT_MAX}
    query = _PAGE.format(
        direction="ASC" if asked.after is not None else "DESC",
        place=" AND ".join(place) or "true",
        filters=" AND ".join(filters) or "true",
        moment=_MOMENT,
    )
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        rows_json, first_id, last_id, fetched, count = cursor.fetchone()
    is_exact = count <= COUNT_EXACT_MAX
    return PositionsPage(
        rows_json=rows_json,
        count=count if is_exact else max(count, _estimate(filters, chosen)),
        count_is_exact=is_exact,
        first_id=first_id,
        last_id=last_id,
        has_more=fetched > asked.page_size,
    )


def _estimate(filters: list[str], chosen: dict[str, Any]) -> int:
    query = f"SELECT FROM hedging_hedgeposition h WHERE {' AND '.join(filters) or 'true'}"
    return estimated_count(query, {name: chosen[name] for name in _CONDITIONS if name in chosen})
