"""The markets' pages for people."""

from venues.admin import balances, instruments, venues

__all__ = ["balances", "instruments", "venues"]
