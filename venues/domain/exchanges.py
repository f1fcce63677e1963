"""The contracts of a venue that orders are signed for, and which of them a market's orders name.

They are data: when a venue moves to a new contract, somebody adds a row, and no new release is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PositionIds(StrEnum):
    """Which ids a market of the contract trades: CTF: conditional tokens. PROTOCOL_V2: positions (bits 40-103 zero)."""

    CTF = "ctf"
    PROTOCOL_V2 = "protocol_v2"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeDomain:
    """One EIP-712 domain: `name`, `version` and `contract` tie a signature to it (the chain is the account's).

    `neg_risk` None: for both kinds of market. `market_version` is the venue's word for the protocol of its markets.
    An inactive one is signed for no more; orders that were signed for it are still ours.
    """

    version: str
    neg_risk: bool | None
    contract: str
    name: str
    position_ids: PositionIds
    market_version: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class DomainFinding:
    """What a contract says of its own domain. `is_right` None: it could not be asked."""

    domain: ExchangeDomain
    is_right: bool | None
    message: str


class SigningGateway(Protocol):
    """The part of a gateway that signs for contracts."""

    @property
    def chain_id(self) -> int:
        """The chain that our signatures are for."""

    def check_domains(self, domains: Sequence[ExchangeDomain] | None = None) -> list[DomainFinding]:
        """What each contract says of its own domain (default: all active ones), through the chain's node."""


def domain_matching(
    domains: Sequence[ExchangeDomain], *, version: str, neg_risk: bool
) -> ExchangeDomain | None:
    """The active domain of markets of this version and kind; the first where several are."""
    for domain in domains:
        if domain.is_active and domain.version == version and domain.neg_risk in (None, neg_risk):
            return domain
    return None
