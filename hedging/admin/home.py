"""The home page: what somebody woken at three in the morning needs, the bad news first.

All figures come from the selectors and are defined in docs/metrics.md; this file only chooses words and colours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from hedging.admin import colours
from hedging.admin.breakers import scope_words
from hedging.admin.home_accounts import account_alarms
from hedging.admin.home_streams import stream_alarms, stream_table
from hedging.admin.limits import used_badge
from hedging.models import Order
from hedging.selectors.dashboard import (
    CyclePoint,
    breakers_not_closed,
    cycle_points,
    discrepancies_open_count,
    intents_parked_count,
    limits_used,
    orders_in_doubt,
    orders_recent,
)
from hedging.selectors.mappings import MappingCounts, mapping_counts
from hedging.selectors.report import BookFigures, book_figures
from hedging.services.config import config_read
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display
from tonsurance.plumbing.models import Checkup
from venues.selectors.books import streams_all

# Three missed beats: nobody is looking after the book.
_STALE_CYCLES = 3
# What the doctor found longer ago says nothing of now.
_TOLD_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with its name, what it rests on, and where to read more. `share` draws a bar, 1 = full."""

    name: str
    figure: str
    note: str = ""
    link: str = ""
    share: int | None = None
    colour: str = "green"


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback; people without the right to see orders get the page without figures."""
    if not request.user.has_perm("hedging.view_order"):
        return context
    now, config = utc_now(), config_read()
    book = book_figures(config.venue_shares)
    mapped = mapping_counts()
    recent = orders_recent()
    doubt = orders_in_doubt() if book.uncertain.doubt_count else []
    streams = streams_all()
    context |= {
        "title": "Overview",
        "has_figures": True,
        "trading": _trading(is_enabled=config.enabled),
        "alarms": [
            *_alarms(book, mapped, now=now, cycle_every=timedelta(seconds=config.cycle_every_seconds)),
            *stream_alarms(streams, now=now),
            *account_alarms(),
        ],
        "facts": _facts(book, mapped, now=now),
        "doubt": _orders(doubt, now=now) if doubt else "",
        "unhedged": _unhedged(book),
        "unhedged_chart": _unhedged_chart(book),
        "cycles_chart": _cycles_chart(cycle_points()),
        "chart_options": _BAR_OPTIONS,
        "line_options": _LINE_OPTIONS,
        "venues": _venues(book),
        "limits": _limits(),
        "streams": stream_table(streams, now=now),
        "recent": _orders(recent, now=now),
    }
    return context


def _trading(*, is_enabled: bool) -> SafeString:
    """Whether cycles send orders, and where to."""
    environment = settings.TRADING_ENVIRONMENT
    if not is_enabled:
        return display.badge("Trading is off: cycles only record", "orange")
    if environment == "PAPER":
        return display.badge("On paper: nothing is sent", "blue")
    if environment == "LIVE":
        return display.badge("Trading live, with real money", "red")
    return display.badge("Trading on the practice exchange", "green")


def _alarms(
    book: BookFigures, mapped: MappingCounts, *, now: datetime, cycle_every: timedelta
) -> list[tuple[str, str]]:
    """What needs a person, as (sentence, link); empty when nothing does."""
    found: list[tuple[str, str]] = []
    uncertain = book.uncertain
    if uncertain.doubt_count:
        amount = display.usd_text(uncertain.doubt_usd)
        words = (
            f"{display.counted(uncertain.doubt_count, 'order')} without an answer, worth {amount} at worst"
        )
        found.append((words, _list("order") + "?standing=eyes"))
    for breaker in breakers_not_closed():
        words = f"Stopped: {scope_words(breaker.scope)} ({breaker.reason or 'no reason recorded'})"
        found.append((words, _list("breaker")))
    if open_count := discrepancies_open_count():
        words = f"{display.counted(open_count, 'open disagreement')} between our book and a venue"
        found.append((words, _list("discrepancy") + "?state__exact=open"))
    if parked := intents_parked_count():
        words = f"{display.counted(parked, 'decision')} parked until a person looks"
        found.append((words, _list("intent") + "?state__exact=PARKED"))
    checkup = Checkup.objects.defer("found").first()
    if checkup is not None and checkup.faults_count and now - checkup.started_at < _TOLD_FOR:
        ago = display.ago_text(checkup.started_at, now=now)
        words = f"{display.counted(checkup.faults_count, 'fault')} found by the doctor, {ago}"
        found.append((words, reverse("admin:plumbing_checkup_changelist")))
    if mapped.needs_person:
        words = f"{display.counted(mapped.needs_person, 'mapping')} suspended until a person looks"
        found.append((words, _list("mapping") + "?state__exact=suspended"))
    cycle = book.cycle
    if cycle.state == "failed":
        found.append((f"The last cycle failed: {cycle.error[:200]}", _list("cycle")))
    elif cycle.as_of is None or now - cycle.as_of > cycle_every * _STALE_CYCLES:
        found.append(
            (f"No cycle has run lately (last: {display.ago_text(cycle.as_of, now=now)})", _list("cycle"))
        )
    return found


def _facts(book: BookFigures, mapped: MappingCounts, *, now: datetime) -> list[Fact]:
    """The figures on top: what we owe and what offsets it, then what is under way."""
    return [*_facts_of_cover(book), *_facts_of_work(book, mapped, now=now)]


def _facts_of_cover(book: BookFigures) -> list[Fact]:
    exposure, positions = book.exposure, book.positions
    unhedged_usd = sum((row.unhedged_usd for row in book.unhedged), Decimal(0))
    ratio = "products differ" if exposure.hedge_ratio is None else display.percent_text(exposure.hedge_ratio)
    of_cover = display.percent_text(display.share_of(positions.payout_usd, exposure.coverage_usd))
    return [
        Fact(
            "Exposure",
            display.usd_text(exposure.coverage_usd),
            f"{display.counted(exposure.policies_count, 'policy', 'policies')}, "
            f"{display.counted(exposure.products_count, 'product')}",
            reverse("admin:policies_policy_changelist"),
        ),
        Fact(
            "Hedge required",
            display.usd_text(exposure.required_usd),
            f"ratio {ratio} of exposure",
            _list("cycle"),
        ),
        Fact(
            "Hedged by payoff, confirmed",
            display.usd_text(positions.payout_usd),
            f"{of_cover} of exposure; {display.usd_text(positions.face_usd)} if every market held pays",
            _list("position"),
            share=_bar(display.share_of(positions.payout_usd, exposure.coverage_usd)),
        ),
        Fact(
            "Spent on what is held",
            display.usd_text(positions.cost_usd),
            f"fees ever paid {display.usd_text(positions.fees_usd)}",
            _list("position"),
        ),
        Fact(
            "Left unhedged by the last cycle",
            display.usd_text(unhedged_usd),
            f"{display.percent_text(display.share_of(unhedged_usd, exposure.required_usd))} of what is required",
            _list("cycle"),
            share=_bar(display.share_of(unhedged_usd, exposure.required_usd)),
            colour="orange",
        ),
    ]


def _facts_of_work(book: BookFigures, mapped: MappingCounts, *, now: datetime) -> list[Fact]:
    uncertain, cycle = book.uncertain, book.cycle
    return [
        Fact(
            "Matched, not settled",
            display.usd_text(uncertain.provisional_usd),
            f"{display.counted(uncertain.provisional_count, 'trade')}; not counted as hedged yet",
            _list("fill"),
        ),
        Fact(
            "In flight",
            display.usd_text(uncertain.flight_usd),
            f"{display.counted(uncertain.flight_count, 'order')} at the venues",
            _list("order") + "?standing=flight",
        ),
        _mapped_fact(mapped),
        Fact(
            "Last cycle",
            display.ago_text(cycle.as_of, now=now),
            f"{display.word(cycle.state)}, {display.counted(cycle.intents_count, 'intent')}"
            if cycle.id
            else "none has run yet",
            _list("cycle"),
        ),
    ]


def _mapped_fact(mapped: MappingCounts) -> Fact:
    waiting = f"{display.counted(mapped.proposed, 'proposal')} of {display.counted(mapped.markets_waiting, 'market')}"
    return Fact(
        "Mappings approved",
        f"{mapped.approved:,}",
        f"{mapped.suspended} suspended; {waiting if mapped.proposed else 'no proposal'} waiting for a person",
        _list("mapping") + ("?state__exact=proposed" if mapped.proposed else ""),
    )


def _unhedged(book: BookFigures) -> SafeString:
    total = sum((row.unhedged_usd for row in book.unhedged), Decimal(0))
    return display.table(
        ["Venue", "Reason", ">Products", ">Left unhedged", ">Part"],
        [
            (
                row.venue_name,
                display.word(row.reason),
                display.count(row.products_count),
                display.usd(row.unhedged_usd),
                display.percent(display.share_of(row.unhedged_usd, total)),
            )
            for row in book.unhedged
        ],
        empty="The last cycle left nothing unhedged",
    )


def _unhedged_chart(book: BookFigures) -> str:
    """One bar per venue and reason; the skin reads the data from an attribute."""
    if not book.unhedged:
        return ""
    return json.dumps(
        {
            "labels": [f"{row.venue_name}: {display.word(row.reason).lower()}" for row in book.unhedged],
            "datasets": [
                {
                    "label": "Left unhedged, USD",
                    "data": [_plotted(row.unhedged_usd) for row in book.unhedged],
                    "backgroundColor": "#f97316",
                }
            ],
        }
    )


def _cycles_chart(points: list[CyclePoint]) -> str:
    if len(points) < 2:
        return ""
    lines = [
        ("Required", [point.required_usd for point in points], "#3b82f6"),
        ("Left unhedged", [point.unhedged_usd for point in points], "#f97316"),
        ("To spend", [point.planned_usd for point in points], "#22c55e"),
    ]
    return json.dumps(
        {
            "labels": [point.label for point in points],
            "datasets": [
                {
                    "label": name,
                    "data": [_plotted(usd) for usd in values],
                    "borderColor": colour,
                    "tension": 0.2,
                }
                for name, values, colour in lines
            ],
        }
    )


def _venues(book: BookFigures) -> SafeString:
    return display.table(
        ["Venue", ">Allocated", ">Pays out", ">Spent"],
        [
            (
                f"{venue.name} ({display.percent_text(venue.share)})",
                display.usd(venue.allocated_usd),
                display.usd(venue.payout_usd),
                display.usd(venue.cost_usd),
            )
            for venue in book.venues
        ],
    )


def _limits() -> SafeString:
    return display.table(
        ["Limit", ">Cap", ">At risk", "Used"],
        [
            (scope_words(use.code), display.usd(use.cap_usd), display.usd(use.at_risk_usd), used_badge(use))
            for use in limits_used()
        ],
        empty="No cap is set",
    )


def _orders(rows: Any, *, now: datetime) -> SafeString:
    return display.table(
        ["Order", "State", "Side", ">Amount", ">Filled", "Market", "Reason", "Made"],
        [_order_row(row, now=now) for row in rows],
        empty="No order yet",
    )


def _order_row(row: Order, *, now: datetime) -> tuple[Any, ...]:
    return (
        display.admin_link(row, display.short_id(row.pk)),
        display.badge(display.word(row.state), colours.ORDER.get(row.state, "grey")),
        _side(row),
        display.usd(row.notional_usd),
        display.usd(row.filled_usd),
        str(row.instrument),
        row.reason or display.NOTHING,
        display.ago(row.created_at, now=now),
    )


def _side(row: Order) -> SafeString:
    word = colours.side_of(row.side, row.time_in_force)
    return display.badge(display.word(word), colours.SIDE[word])


def _plotted(amount_usd: Decimal) -> int:
    """Whole dollars: a bar does not show cents, and JSON has no exact decimals."""
    return int(amount_usd)


def _bar(share: Decimal) -> int:
    return max(0, min(100, int(share * 100)))


def _list(model: str) -> str:
    return reverse(f"admin:hedging_{model}_changelist")


_TICKS = {"color": "#9ca3af"}
_BAR_OPTIONS = json.dumps(
    {
        "indexAxis": "y",
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "maxBarThickness": 18,
        "plugins": {"legend": {"display": False}},
        "scales": {"x": {"ticks": _TICKS, "grid": {}}, "y": {"ticks": _TICKS, "grid": {"display": False}}},
    }
)
_LINE_OPTIONS = json.dumps(
    {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "elements": {"point": {"radius": 0}, "line": {"borderWidth": 2}},
        "interaction": {"mode": "index", "intersect": False},
        "plugins": {
            "legend": {"display": True, "align": "end", "labels": {"color": "#9ca3af", "boxWidth": 12}}
        },
        "scales": {
            "x": {"ticks": {**_TICKS, "maxTicksLimit": 8}, "grid": {"display": False}},
            "y": {"ticks": _TICKS, "grid": {}, "beginAtZero": True},
        },
    }
)
