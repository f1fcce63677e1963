"""Where we can trade, and what the venue said last."""

from venues.models.books import BookSnapshot, StreamBook, StreamState
from venues.models.instruments import Instrument
from venues.models.limits import VenueLimit
from venues.models.venues import BalanceSnapshot, Venue

__all__ = [
    "BalanceSnapshot",
    "BookSnapshot",
    "Instrument",
    "StreamBook",
    "StreamState",
    "Venue",
    "VenueLimit",
]
