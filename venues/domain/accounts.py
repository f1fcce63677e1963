"""Who we are at a venue and what we may do there: standing, wallet, balances, approvals, and the wallet's own acts.

A wallet's own acts (approving contracts, wrapping money) are jobs of their own, never a part of an order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

WALLET_KINDS = {
    0: "the key's own address",
    1: "e-mail wallet (proxy)",
    2: "Safe of a browser wallet",
    3: "deposit wallet",
}
"""Signature types of the order book (docs.polymarket.com/trading/wallets-auth)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """One permission that trading or redeeming needs. `have` is what is granted now, for people."""

    token: str
    token_address: str
    spender: str
    spender_address: str
    function: str
    have: str
    is_granted: bool
    purpose: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountReport:
    """What was found out about our account just now; None where it could not be asked (`unread` says why).

    `balances` by currency, as the chain has them; `seen_usd` is the money as the order book sees it, which may lag.
    """

    wallet: str
    signer: str
    signature_type: int
    is_geoblocked: bool | None = None
    country: str = ""
    region: str = ""
    is_closed_only: bool | None = None
    is_banned: bool | None = None
    is_key_valid: bool | None = None
    is_wallet_ours: bool | None = None
    clock_offset_s: float | None = None
    balances: dict[str, Decimal] = field(default_factory=dict)
    seen_usd: Decimal | None = None
    approvals: tuple[Approval, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def opening_refusal(self) -> str:
        """Why we open nothing at the venue by our own choice ("" when we may)."""
        if self.is_banned:
            return "the venue has banned the account"
        if self.is_closed_only:
            return "the venue lets the account only close positions"
        if self.is_geoblocked:
            place = f"{self.country or 'unknown'} {self.region}".strip()
            return f"the venue does not serve this machine's country ({place})"
        return ""

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything a person should put right, one sentence each."""
        found = [self.opening_refusal] if self.opening_refusal else []
        if self.is_key_valid is False:
            found.append("the API key does not belong to the private key; derive the credentials again")
        if self.is_wallet_ours is False:
            found.append(
                f"wallet {self.wallet} does not follow from the private key; check wallet and signature type"
            )
        if self.clock_offset_s is not None and abs(self.clock_offset_s) > CLOCK_OFFSET_S_MAX:
            found.append(
                f"the venue's clock is {self.clock_offset_s:+.0f} s from ours; synchronise this machine (NTP)"
            )
        missing = [approval for approval in self.approvals if not approval.is_granted]
        if missing:
            found.append(f"{len(missing)} approvals are missing; run `manage.py wallet approve`")
        return tuple(found)


CLOCK_OFFSET_S_MAX = 5


class ActKind(StrEnum):
    APPROVE = "approve"
    WRAP = "wrap"


@dataclass(frozen=True, kw_only=True, slots=True)
class WalletAct:
    """Something that the wallet is to do on the chain. `lines` say it for people: contract, function, values."""

    kind: ActKind
    title: str
    lines: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    amount_usd: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedAct:
    """An act whose name and bytes are fixed, before anybody has sent it; void after `fence_at`."""

    name: str
    payload: bytes
    fence_at: datetime | None = None


class ActStage(StrEnum):
    """How far an act's bytes are. VOID: they can never take effect any more. UNSEEN: nobody has them now."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNSEEN = "unseen"
    VOID = "void"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActFound:
    """What a look-up says of an act, with a sentence's end for people."""

    stage: ActStage
    said: str
    transaction_hash: str = ""
