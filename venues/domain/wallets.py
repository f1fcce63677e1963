"""What a venue whose money is on a chain can be asked besides: answers of markets, redemption, our wallet there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from venues.domain.accounts import AccountReport, ActFound, SignedAct, WalletAct
from venues.domain.gateway import OrderRequest, Outcome, Prepared
from venues.domain.instruments import InstrumentTerms
from venues.domain.redemptions import ForeignRedemption, RedemptionFound
from venues.domain.resolutions import ResolutionReport


class WalletGateway(Protocol):
    """The live line to one wallet at one venue. Reads raise LookupFailed when nobody with authority answered."""

    def fetch_resolutions(self, condition_ids: Sequence[str]) -> list[ResolutionReport]:
        """What each of the venue's sources says of the answers of these markets."""

    def fetch_units(self, instrument_id: str) -> Decimal:
        """Units of an outcome that the wallet holds, by the chain's own word."""

    def prepare_redemption(self, request: OrderRequest) -> Prepared:
        """Identity and bytes of the redemption of a resolved outcome. Reads the chain; sends nothing.

        Raises Refused when there is nothing to redeem or the chain would refuse it.
        """

    def look_up_redemption(
        self,
        payload: bytes,
        *,
        name: str,
        terms: InstrumentTerms,
        size: Decimal,
        payout: Decimal,
        relay_id: str,
    ) -> RedemptionFound:
        """How far a redemption is, by its bytes; its one fill, of at most `size`, once nothing can undo it."""

    def fetch_foreign_redemptions(
        self, terms: InstrumentTerms, *, payout: Decimal, size: Decimal, since: datetime
    ) -> list[ForeignRedemption]:
        """Final redemptions of this outcome out of the wallet, whoever sent them."""

    def fetch_account(self) -> AccountReport:
        """Who we are there and what we may do; never raises, what could not be read is named in it."""

    def refresh_balance(self) -> None:
        """Let the venue read our money again after the wallet has changed it."""

    def approve_acts(self) -> list[WalletAct]:
        """What the wallet must still allow, as acts."""

    def wrap_acts(self, amount_usd: Decimal) -> list[WalletAct]:
        """How the wallet turns money into the venue's own. Raises Refused for more than there is."""

    def sign_act(self, act: WalletAct) -> SignedAct:
        """Name and bytes of an act, before anybody sends it. Raises Refused."""

    def submit(self, payload: bytes) -> Outcome:
        """Send exactly these bytes, once, with no retry in any library."""

    def find_act(self, payload: bytes, *, relay_id: str) -> ActFound:
        """How far the bytes of an act are."""
