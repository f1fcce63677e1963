"""Where we can trade, and what the venue said last."""

from venues.models.books import BookSnapshot, StreamBook, StreamState
from venues.models.exchanges import ExchangeContract
from venues.models.instruments import Instrument
from venues.models.limits import VenueLimit
from venues.models.resolutions import Resolution, ResolutionWord
from venues.models.venues import BalanceSnapshot, Venue
from venues.models.wallets import AccountStanding, WalletJob, WalletJobEvent

__all__ = [
    "AccountStanding",
    "BalanceSnapshot",
    "BookSnapshot",
    "ExchangeContract",
    "Instrument",
    "Resolution",
    "ResolutionWord",
    "StreamBook",
    "StreamState",
    "Venue",
    "VenueLimit",
    "WalletJob",
    "WalletJobEvent",
]
