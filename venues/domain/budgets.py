"""How often a venue may be asked: its buckets, what each kind of request takes from them, and what its answers say.

A bucket holds `capacity` tokens and refills at `rate` a second. All processes share one set of buckets per venue; the
venue's own word about what is left always wins over our count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class BudgetKind(StrEnum):
    """What we are about to ask. Tokens count orders for ORDER, BATCH and CANCEL, requests for the others."""

    ORDER = "order"
    BATCH = "batch"
    CANCEL = "cancel"
    LOOKUP = "lookup"
    BALANCE = "balance"
    BOOK = "book"
    BOOKS = "books"
    MARKETS = "markets"


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit of the venue; `name` is unique within the venue."""

    name: str
    capacity: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request takes from one bucket: a token for each thing it carries, or (`per_request`) one in all.

    `floor` tokens stay behind for requests that matter more: cancels and look-ups.
    """

    bucket: Bucket
    per_request: bool = True
    floor: int = 0


BudgetPlan = Mapping[BudgetKind, tuple[Charge, ...]]


@dataclass(frozen=True, slots=True)
class LimitReading:
    """What one answer said of one bucket.

    `remaining` tokens after the request (below zero: a debt), `wait_s` seconds in which nothing is granted, `tier` the
    venue's word for our class. `is_warning`: the request would have been refused, were the limit enforced already.
    """

    bucket: str
    remaining: Decimal | None = None
    wait_s: int | None = None
    tier: str = ""
    is_warning: bool = False
