"""The part of the line to Polymarket that speaks with the chain: redemption, the wallet's own acts, our standing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from venues.adapters.polymarket.account import Account
from venues.adapters.polymarket.approvals import approvals_read, approve_acts, wrap_acts
from venues.adapters.polymarket.client import PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.node import Reverted
from venues.adapters.polymarket.questions import Questions, authoritative
from venues.adapters.polymarket.redemption import Redemptions
from venues.adapters.polymarket.resolutions import resolutions_read
from venues.adapters.polymarket.signers import account_of
from venues.adapters.polymarket.transactions import Found, Stage, Transactions
from venues.domain.accounts import AccountReport, ActFound, ActStage, SignedAct, WalletAct
from venues.domain.gateway import LookupFailed, OrderRequest, Prepared
from venues.domain.instruments import InstrumentTerms
from venues.domain.redemptions import ForeignRedemption, RedemptionFound
from venues.domain.resolutions import ResolutionReport

_STAGES = {
    Stage.WAITING: ActStage.WAITING,
    Stage.MINED: ActStage.WAITING,
    Stage.FINAL: ActStage.DONE,
    Stage.REVERTED: ActStage.FAILED,
    Stage.FAILED: ActStage.FAILED,
    Stage.UNSEEN: ActStage.UNSEEN,
    Stage.EXCLUDED: ActStage.VOID,
}


class WalletLine:
    """Questions and acts of one wallet. Reads raise LookupFailed; Refused is our own no, before anything is sent."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig, ask: Questions) -> None:
        self._line = (client, config, ask)
        self.wallet = Transactions(client, config, account_of(config))
        self.redemptions = Redemptions(client, config, self.wallet)
        self.account = Account(client, config, ask, self.wallet)

    def fetch_resolutions(self, condition_ids: Sequence[str]) -> list[ResolutionReport]:
        """What each of the venue's services says of the answer of each market."""
        client, config, ask = self._line
        with _chain("resolutions"):
            return resolutions_read(condition_ids, client=client, config=config, ask=ask)

    def fetch_units(self, instrument_id: str) -> Decimal:
        """Units of an outcome in our wallet, by the chain's own word."""
        with _chain(f"units of {instrument_id}"):
            return self.redemptions.held(instrument_id)

    def prepare_redemption(self, request: OrderRequest) -> Prepared:
        with _chain("redemption"):
            return self.redemptions.prepare(request)

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
        with _chain(f"redemption {name}"):
            return self.redemptions.look_up(
                payload, name=name, terms=terms, size=size, payout=payout, relay_id=relay_id
            )

    def fetch_foreign_redemptions(
        self, terms: InstrumentTerms, *, payout: Decimal, size: Decimal, since: datetime
    ) -> list[ForeignRedemption]:
        with _chain(f"redemptions of {terms.slug}"):
            return self.redemptions.foreign(terms, payout=payout, size=size, since=since)

    def fetch_account(self) -> AccountReport:
        """Who we are at the venue and what we may do there; never raises, what could not be read is named in it."""
        return self.account.report()

    def refresh_balance(self) -> None:
        """Let the venue read our money from the chain again."""
        with _chain("balance refresh"):
            self.account.refresh()

    def approve_acts(self) -> list[WalletAct]:
        """What the wallet must still allow, as acts that can be signed."""
        _, config, _ = self._line
        with _chain("approvals"):
            approvals = approvals_read(self.wallet.node, config, self.wallet.contracts)
        return approve_acts(approvals, is_relayed=self.wallet.is_relayed)

    def wrap_acts(self, amount_usd: Decimal) -> list[WalletAct]:
        """How the wallet turns so much USDC.e into the venue's money."""
        _, config, _ = self._line
        with _chain("wrap"):
            return wrap_acts(
                self.wallet.node,
                config,
                self.wallet.contracts,
                amount_usd=amount_usd,
                is_relayed=self.wallet.is_relayed,
            )

    def sign_act(self, act: WalletAct) -> SignedAct:
        """Identity and bytes of an act, before anybody sends it; `submit` sends them."""
        with _chain("act"):
            drawn = self.wallet.draw(list(act.calls), metadata=act.title)
        return SignedAct(name=drawn.name, payload=drawn.payload, fence_at=drawn.fence_at)

    def find_act(self, payload: bytes, *, relay_id: str) -> ActFound:
        """How far the bytes of an act are."""
        with _chain("act"):
            found: Found = self.wallet.find(payload, relay_id=relay_id)
        return ActFound(stage=_STAGES[found.stage], said=found.said, transaction_hash=found.transaction_hash)


@contextmanager
def _chain(subject: str) -> Iterator[None]:
    """As `authoritative`, for questions to contracts too."""
    with authoritative(subject):
        try:
            yield
        except Reverted as no:
            raise LookupFailed(f"{subject}: the contract refused the question: {no}") from None
        except ValueError as error:
            raise LookupFailed(f"{subject}: {error}") from None
