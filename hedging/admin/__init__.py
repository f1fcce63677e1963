"""The book's pages for people: rows are looked at, verbs change them, each through one service."""

from hedging.admin import (
    attributions,
    breakers,
    config,
    cycles,
    fills,
    health,
    intents,
    limits,
    mappings,
    orders,
    positions,
    reconciliation,
)

__all__ = [
    "attributions",
    "breakers",
    "config",
    "cycles",
    "fills",
    "health",
    "intents",
    "limits",
    "mappings",
    "orders",
    "positions",
    "reconciliation",
]
