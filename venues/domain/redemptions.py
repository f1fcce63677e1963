"""What the chain says of a redemption, ours or one that others sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from venues.domain.gateway import Absent, FillReport, OrderReport


@dataclass(frozen=True, kw_only=True, slots=True)
class RedemptionFound:
    """A look-up's answer: how far the transaction is, and what it paid once nothing can undo it any more."""

    report: OrderReport | Absent
    fills: Sequence[FillReport] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignRedemption:
    """A final transaction that redeemed units of ours and that we may not have sent.

    `name` is the order's name that adopts it, `payload` its evidence, `origin` who sent it.
    """

    transaction_hash: str
    name: str
    payload: bytes
    origin: str
    at: datetime
    fill: FillReport
