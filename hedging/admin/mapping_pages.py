"""The pieces of a mapping's pages: the comparison, the rules, the book and its cost, the history; all safe HTML."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hedging.models import Mapping
from hedging.services.mapping_preview import Preview
from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display

STATES = {"proposed": "orange", "approved": "green", "suspended": "red", "declined": "grey"}
_VERDICTS = {"same": "green", "wider": "blue", "narrower": "orange", "other": "grey", "unread": "red"}
_EVENTS_SHOWN = 30


def comparison_table(told: dict[str, Any]) -> SafeString:
    """The market against the policy, line by line, then the reasons for grade and basis."""
    lines = display.table(
        ["Term", "The market", "The policy", "Verdict", "Note"],
        [
            (
                line["name"],
                line["market"],
                line["policy"],
                display.badge(display.word(line["verdict"]), _VERDICTS.get(line["verdict"], "grey")),
                line["note"] or display.NOTHING,
            )
            for line in told.get("lines", [])
        ],
        empty="No search has compared this market; read its rules",
    )
    if not told.get("lines"):
        return lines
    words = told.get("reasons", [])[-1:]
    return format_html(
        '{}<p class="bo-sentence" style="margin-top:12px">{} {}, pays in {} of insured events. {}</p>',
        lines,
        "Suggested:",
        told.get("grade", display.NOTHING),
        display.percent_text(Decimal(told.get("basis_probability", "0"))),
        words[0] if words else "",
    )


def rules(row: Mapping) -> SafeString:
    """Question, outcome and rules beside what the mapping claims."""
    market = row.instrument
    return display.facts(
        [
            ("Insured event", str(row.product)),
            ("Mapping says it pays on", row.pays_on or display.NOTHING),
            ("Question", market.question or display.NOTHING),
            ("Outcome bought", display.badge(market.outcome or display.NOTHING, "blue")),
            ("Rules", display.text_block(market.description)),
            ("Ends", display.moment(market.end_at)),
        ]
    )


def terms(row: Mapping) -> SafeString:
    """What the venue asks of an order, and how far the market's life is."""
    market = row.instrument
    return display.facts(
        [
            ("Tick", display.price(market.tick_size)),
            (
                "Smallest order",
                format_html(
                    "{} units, {}",
                    display.size_text(market.size_min),
                    display.usd_text(market.notional_usd_min),
                ),
            ),
            (
                "Fee",
                f"{display.percent_text(market.fee_rate)} × price × (1 − price), exponent {market.fee_exponent}",
            ),
            ("Takes orders", display.yes_no(market.accepting_orders)),
            ("Closed", display.yes_no(market.closed, bad=True)),
            ("Resolution", market.resolution_status or "not begun"),
            ("Market id", market.market_id or display.NOTHING),
            ("Condition id", display.short_hash(market.condition_id)),
            ("Token id", display.short_hash(market.instrument_id)),
            ("Read", display.ago(market.refreshed_at)),
        ]
    )


def book_card(row: Any) -> SafeString:
    """The latest book as a ladder; `row` None where none was read."""
    if row is None:
        return format_html('<p class="bo-empty">{}</p>', "No book has been read yet")
    return format_html(
        '<p class="bo-note">Read {}</p>{}',
        display.ago_text(row.taken_at, now=utc_now()),
        display.ladder(row.bids, row.asks, levels=6),
    )


def cost_facts(view: Preview) -> SafeString:
    """What hedging the product's cover at this venue would cost now, and what a unit is expected to pay."""
    basis = view.mapping.basis_probability
    best = view.book.best_ask if view.book else None
    rows: list[tuple[str, Any]] = [
        (
            "Cover in force",
            f"{display.usd_text(view.coverage_usd)}, {display.counted(view.policies_count, 'policy', 'policies')}",
        ),
        (
            "Hedge required here",
            f"{display.usd_text(view.required_usd)}; what is held of it already is not deducted",
        ),
        ("Expected payout per unit", f"{display.percent_text(basis)} of $1, if the policy pays"),
        (
            "Best price per expected dollar",
            display.price_text(best / basis) if best and basis else display.NOTHING,
        ),
    ]
    walk = view.walk
    if walk is None:
        why = "no cover in force asks for it" if view.required_usd <= 0 else "no book has been read"
        return display.facts([*rows, ("Would cost now", why)])
    if walk.size <= 0:
        return display.facts(
            [*rows, ("Would cost now", f"nothing within the limits ({display.word(walk.stopped_by)})")]
        )
    return display.facts(
        [
            *rows,
            (
                "Would buy now",
                f"{display.size_text(walk.size)} units, stopped by: {display.word(walk.stopped_by).lower()}",
            ),
            (
                "Would cost now",
                f"{display.usd_text(walk.cost_usd)} with fees, {display.price_text(walk.price_average)} on average, "
                f"{display.price_text(walk.price_worst)} at worst",
            ),
            ("Would pay", f"{display.usd_text(walk.size * basis)} expected if the policies pay"),
        ]
    )


def history(row: Mapping) -> SafeString:
    """Who moved it, when and why: written by the database."""
    return display.table(
        ["When", "From", "To", "Who", "Why", "Grade", ">Basis", "Wording"],
        [
            (
                display.ago(event.at),
                display.word(event.old) if event.old else display.NOTHING,
                display.badge(display.word(event.new), STATES.get(event.new, "grey")),
                event.who or display.NOTHING,
                event.reason or display.NOTHING,
                display.word(event.grade),
                display.percent(event.basis_probability),
                display.short_hash(event.wording_hash),
            )
            for event in row.events.all()[:_EVENTS_SHOWN]
        ],
    )


def judging(view: Preview) -> SafeString:
    """All that an approval rests on, on one page."""
    alarms = [view.wrong_way] if view.wrong_way else []
    if view.silence:
        alarms.append(f"The venue did not answer ({view.silence}): rules and book are those read last.")
    parts = [
        ("The market against the policy", comparison_table(view.comparison)),
        ("The market's rules, in full", rules(view.mapping)),
        ("Its book", book_card(view.book)),
        ("What it would cost", cost_facts(view)),
    ]
    return format_html(
        "{}{}",
        format_html_join("", '<p class="bo-alarm">{}</p>', ((words,) for words in alarms)),
        format_html_join("", '<h3 class="bo-part">{}</h3>{}', parts),
    )
