"""The markets' pages for people."""

from venues.admin import balances, instruments, streams, venues

__all__ = ["balances", "instruments", "streams", "venues"]
