"""The markets' pages for people."""

from venues.admin import balances, exchanges, instruments, streams, venues, wallets

__all__ = ["balances", "exchanges", "instruments", "streams", "venues", "wallets"]
