"""Columns and read-only fields of admin pages, each one line: which attribute, shown how, under which name.

Numeric columns are named `n_…`; the style sheet aligns their headers with their figures.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.utils.safestring import SafeString

from tonsurance.kernel.clock import utc_now
from tonsurance.plumbing import display

Cell = Callable[[Any, Any], Any]


def cell(name: str, label: str, *, how: Callable[[Any], Any], order: str | None = None) -> Cell:
    """An admin method that shows attribute `name` (`intent.cycle_id` works) by `how`, sortable by its
    column.
    """
    read = attrgetter(name)

    def show(_admin: Any, row: Any) -> Any:
        return how(read(row))

    show.short_description = label  # type: ignore[attr-defined]
    show.admin_order_field = name.replace(".", "__") if order is None else order or None  # type: ignore[attr-defined]
    return show


def usd_cell(name: str, label: str) -> Cell:
    """US dollars."""
    return cell(name, label, how=display.usd)


def size_cell(name: str, label: str) -> Cell:
    """Units of an instrument."""
    return cell(name, label, how=display.size)


def price_cell(name: str, label: str) -> Cell:
    """US dollars per unit."""
    return cell(name, label, how=display.price)


def percent_cell(name: str, label: str) -> Cell:
    """A share of one."""
    return cell(name, label, how=display.percent)


def count_cell(name: str, label: str) -> Cell:
    """A whole number."""
    return cell(name, label, how=display.count)


def ago_cell(name: str, label: str) -> Cell:
    """How long ago, the moment in the tooltip."""
    return cell(name, label, how=display.ago)


def moment_cell(name: str, label: str) -> Cell:
    """A moment in full and how long ago it was."""
    return cell(name, label, how=_moment_and_age)


def text_cell(name: str, label: str) -> Cell:
    """Words as they were written, line ends kept."""
    return cell(name, label, how=display.text_block, order="")


def link_cell(name: str, label: str, *, order: str = "") -> Cell:
    """A link to the page of the row that `name` points to."""
    return cell(name, label, how=display.admin_link, order=order)


def badge_cell(name: str, label: str, *, colours: dict[str, str]) -> Cell:
    """A state in words and colour; a state without a colour is grey."""

    def how(state: str) -> SafeString:
        return display.badge(display.word(state), colours.get(state, "grey"))

    return cell(name, label, how=how)


def _moment_and_age(at: Any) -> Any:
    return (
        display.NOTHING
        if at is None
        else f"{display.moment_text(at)} ({display.ago_text(at, now=utc_now())})"
    )


def names_of(fieldsets: list[Any]) -> list[str]:
    """Every field that `fieldsets` show, pairs on one line included: for `readonly_fields`."""
    return [
        name
        for _, part in fieldsets
        for line in part["fields"]
        for name in ((line,) if isinstance(line, str) else line)
    ]
