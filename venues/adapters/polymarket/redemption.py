"""Shares of a resolved market for their payout: the call, what a receipt shows that it paid, and what others redeemed.

Conditional tokens are redeemed through the collateral adapter of their kind, Protocol V2 positions through the router;
never through the conditional tokens themselves, which burn nothing and pay nothing for pUSD (docs.polymarket.com,
resources/contracts). One call redeems both outcomes of a market; the receipt says how much of which left the wallet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from eth_utils.crypto import keccak
from polymarket.calls import ctf_redeem_positions_call, router_redeem_call
from polymarket.types import EvmAddress

from tonsurance.kernel.clock import epoch_ms
from tonsurance.kernel.errors import Refused
from tonsurance.kernel.money import from_micro, to_micro
from venues.adapters.polymarket import wire
from venues.adapters.polymarket.client import PolymarketClient
from venues.adapters.polymarket.config import PolymarketConfig
from venues.adapters.polymarket.environment import is_v2_position_id
from venues.adapters.polymarket.node import Receipt, selector, word
from venues.adapters.polymarket.transactions import Call, Found, Stage, Transactions
from venues.adapters.polymarket.wallet_contracts import WalletContracts
from venues.adapters.polymarket.wire import Unreadable
from venues.domain.gateway import (
    Absent,
    FillReport,
    OrderReport,
    OrderRequest,
    OrderState,
    Prepared,
    Settlement,
    Side,
)
from venues.domain.instruments import InstrumentTerms
from venues.domain.redemptions import ForeignRedemption, RedemptionFound

ADOPTED = "adopted:"
_BALANCE_OF = selector("balanceOf(address,uint256)")
_IS_APPROVED = selector("isApprovedForAll(address,address)")
_TRANSFER = "0x" + keccak(b"Transfer(address,address,uint256)").hex()
_TRANSFER_SINGLE = "0x" + keccak(b"TransferSingle(address,address,address,uint256,uint256)").hex()
_TRANSFER_BATCH = "0x" + keccak(b"TransferBatch(address,address,address,uint256[],uint256[])").hex()
_PAYOUT_SLACK_MICRO = 2
"""The contracts round each side's payout down to a millionth."""
_ACTIVITY_MAX = 100
_PRICE_STEP = Decimal("1e-10")


class Redemptions:
    """Redeeming what the wallet of one configuration holds."""

    def __init__(self, client: PolymarketClient, config: PolymarketConfig, wallet: Transactions) -> None:
        self._client = client
        self._config = config
        self._wallet = wallet

    def held(self, instrument_id: str) -> Decimal:
        """Units of an outcome in our wallet, by the chain's own word. Raises NoAnswer, Unreadable."""
        contracts = self._wallet.contracts
        ledger = contracts.share_ledger(is_v2=is_v2_position_id(instrument_id))
        data = _BALANCE_OF + word(self._config.wallet) + word(int(instrument_id))
        return from_micro(self._wallet.node.call(ledger, data))

    def prepare(self, request: OrderRequest) -> Prepared:
        """Identity and bytes of the redemption of all that we hold of the market; reads the chain, sends nothing.

        Raises Refused when nothing is held, an approval is missing or the chain would refuse the call.
        """
        held = self.held(request.terms.instrument_id)
        if held <= 0:
            raise Refused("nothing of it is in the wallet any more", code="nothing_held")
        self._require_approval(request.terms)
        call = redeem_call(request.terms, contracts=self._wallet.contracts, held=held)
        drawn = self._wallet.draw([call], metadata=f"Redeem {request.terms.slug}"[:200])
        size = min(held, request.size)
        return Prepared(
            client_order_id=drawn.name,
            payload=drawn.payload,
            salt=None,
            size=size,
            notional_usd=(size * request.price_limit).quantize(Decimal("1e-6"), rounding=ROUND_DOWN),
            price_limit=request.price_limit,
            fence_at=drawn.fence_at,
        )

    def look_up(
        self,
        payload: bytes,
        *,
        name: str,
        terms: InstrumentTerms,
        size: Decimal,
        payout: Decimal,
        relay_id: str,
    ) -> RedemptionFound:
        """How far a redemption is, and the fill it made once it is final. Raises NoAnswer, Unreadable."""
        if name.startswith(ADOPTED):
            found = self._wallet.receipt_found(str(json.loads(payload)["hash"]))
        else:
            found = self._find(payload, terms=terms, relay_id=relay_id)
        if found.stage is Stage.EXCLUDED or found.stage is Stage.UNSEEN:
            absent = Absent(
                client_order_id=name, detail=found.said, is_excluded=found.stage is Stage.EXCLUDED
            )
            return RedemptionFound(report=absent)
        fills = self._fills(found, name=name, terms=terms, size=size, payout=payout)
        return RedemptionFound(report=_report(found, name=name, fills=fills), fills=fills)

    def foreign(
        self, terms: InstrumentTerms, *, payout: Decimal, size: Decimal, since: datetime
    ) -> list[ForeignRedemption]:
        """Final redemptions of this outcome out of our wallet since a moment, as the Data API and receipts tell them.

        Raises NoAnswer, Unreadable.
        """
        adopted = []
        for found_hash in self._activity(terms.condition_id, since=since):
            found = self._wallet.receipt_found(found_hash)
            name = f"{ADOPTED}{found_hash}/{outcome_index(terms.instrument_id)}"
            fills = self._fills(found, name=name, terms=terms, size=size, payout=payout)
            if found.receipt is None or not fills:
                continue
            evidence = {"kind": "adopted", "hash": found_hash, "by": found.receipt.sender}
            adopted.append(
                ForeignRedemption(
                    transaction_hash=found_hash,
                    name=name,
                    payload=json.dumps(evidence, separators=(",", ":")).encode(),
                    origin=self._origin(found.receipt),
                    at=fills[0].matched_at,
                    fill=fills[0],
                )
            )
        return adopted

    def _origin(self, receipt: Receipt) -> str:
        sender = receipt.sender.lower()
        if sender == self._wallet.contracts.auto_redeemer.lower() or receipt.to.lower() == (
            self._wallet.contracts.auto_redeemer.lower()
        ):
            return "the venue's AutoRedeemer"
        if sender == self._config.signer.lower():
            return "our own key, outside this book or for the other outcome"
        return f"address {receipt.sender}"

    def _require_approval(self, terms: InstrumentTerms) -> None:
        contracts = self._wallet.contracts
        is_v2 = is_v2_position_id(terms.instrument_id)
        redeemer = contracts.redeemer(neg_risk=terms.neg_risk, is_v2=is_v2)
        ledger = contracts.share_ledger(is_v2=is_v2)
        if not self._wallet.node.call(ledger, _IS_APPROVED + word(self._config.wallet) + word(redeemer)):
            raise Refused(
                f"approval: {redeemer} may not take shares of {self._config.wallet}; run `manage.py wallet approve`",
                code="approval_missing",
                field="approval",
            )

    def _find(self, payload: bytes, *, terms: InstrumentTerms, relay_id: str) -> Found:
        found = self._wallet.find(payload, relay_id=relay_id)
        if (
            found.stage is not Stage.WAITING
            or found.transaction_hash
            or relay_id
            or not self._wallet.is_relayed
        ):
            return found
        # The batch's number is used and its answer was lost: what it did is in the wallet's history.
        for found_hash in self._activity(terms.condition_id, since=None):
            return self._wallet.receipt_found(found_hash)
        return found

    def _activity(self, condition_id: str, *, since: datetime | None) -> list[str]:
        params: dict[str, Any] = {
            "user": self._config.wallet,
            "type": "REDEEM",
            "condition_id": condition_id,
            "limit": _ACTIVITY_MAX,
        }
        if since is not None:
            params["start"] = epoch_ms(since) // 1000
        answer = self._client.read(f"{self._config.data_url}/v2/activity", params=params)
        if answer.status != 200:
            raise Unreadable(f"activity: HTTP {answer.status}")
        rows = wire.array(wire.mapping(wire.read_json(answer.body), name="answer").get("data"), name="data")
        hashes = [
            wire.text(
                wire.mapping(row, name="activity").get("transaction_hash"), name="transaction_hash"
            ).lower()
            for row in rows
            if isinstance(row, dict) and row.get("type") == "REDEEM"
        ]
        return list(dict.fromkeys(hashes))

    def _fills(
        self, found: Found, *, name: str, terms: InstrumentTerms, size: Decimal, payout: Decimal
    ) -> list[FillReport]:
        """The one fill of a final redemption; none of one that moved nothing of this outcome."""
        if found.stage is not Stage.FINAL or found.receipt is None:
            return []
        moved = units_moved(found.receipt.logs, wallet=self._config.wallet, contracts=self._wallet.contracts)
        units = moved.pop(terms.instrument_id, 0)
        if units == 0:
            return []
        paid = pusd_received(found.receipt.logs, wallet=self._config.wallet, contracts=self._wallet.contracts)
        price, notional = _paid(units, payout=payout, paid=paid, others=sum(moved.values()))
        booked = min(from_micro(units), size) if size > 0 else from_micro(units)
        if booked < from_micro(units):
            notional = (booked * price).quantize(Decimal("1e-6"), rounding=ROUND_DOWN)
        fill = FillReport(
            client_order_id=name,
            venue_trade_id=f"{found.transaction_hash}/{outcome_index(terms.instrument_id)}",
            instrument_id=terms.instrument_id,
            side=Side.SELL,
            size=booked,
            price=price,
            notional_usd=notional,
            fee_usd=Decimal(0),
            settlement=Settlement.CONFIRMED,
            matched_at=self._wallet.node.block_time(found.receipt.block),
            transaction_hash=found.transaction_hash,
        )
        return [fill]


def redeem_call(terms: InstrumentTerms, *, contracts: WalletContracts, held: Decimal) -> Call:
    """The contract and call data that redeem a market's shares for pUSD."""
    is_v2 = is_v2_position_id(terms.instrument_id)
    target = EvmAddress(contracts.redeemer(neg_risk=terms.neg_risk, is_v2=is_v2))
    if not is_v2:
        call = ctf_redeem_positions_call(
            ctf=target, collateral=EvmAddress(contracts.collateral), condition_id=terms.condition_id
        )
        return str(call.to), str(call.data)
    position = int(terms.instrument_id).to_bytes(32, "big")
    call = router_redeem_call(
        router=target,
        condition_id="0x" + position[:31].hex(),
        outcome_index=position[31],
        amount=to_micro(held),
    )
    return str(call.to), str(call.data)


def outcome_index(instrument_id: str) -> str:
    """A short name of one outcome within its market: the end of its token id."""
    return instrument_id[-4:]


def units_moved(
    logs: Sequence[Mapping[str, Any]], *, wallet: str, contracts: WalletContracts
) -> dict[str, int]:
    """Millionths of each outcome that left the wallet, by token id."""
    ledgers = {contracts.conditional_tokens.lower(), contracts.position_manager.lower()}
    moved: dict[str, int] = {}
    for log in logs:
        topics = [str(topic).lower() for topic in wire.array(log.get("topics"), name="topics")]
        if str(log.get("address")).lower() not in ledgers or len(topics) != 4 or not _is(topics[2], wallet):
            continue
        words = _words(log.get("data"))
        if topics[0] == _TRANSFER_SINGLE and len(words) == 2:
            pairs = [(words[0], words[1])]
        elif topics[0] == _TRANSFER_BATCH:
            pairs = _pairs(words)
        else:
            continue
        for token, units in pairs:
            moved[str(token)] = moved.get(str(token), 0) + units
    return moved


def pusd_received(logs: Sequence[Mapping[str, Any]], *, wallet: str, contracts: WalletContracts) -> int:
    """Millionths of pUSD that came into the wallet."""
    paid = 0
    for log in logs:
        topics = [str(topic).lower() for topic in wire.array(log.get("topics"), name="topics")]
        is_pusd = str(log.get("address")).lower() == contracts.collateral.lower()
        if is_pusd and len(topics) == 3 and topics[0] == _TRANSFER and _is(topics[2], wallet):
            paid += sum(_words(log.get("data"))[:1])
    return paid


def _paid(units: int, *, payout: Decimal, paid: int, others: int) -> tuple[Decimal, Decimal]:
    """(price, USD) that the receipt shows for our units: the payout we expect, unless the chain paid something else.

    The other outcome, redeemed by the same call, took its own payout out of the same money.
    """
    theirs = int(others * (1 - payout))
    ours = paid - theirs
    expected = int(units * payout)
    if abs(ours - expected) <= _PAYOUT_SLACK_MICRO:
        return payout, from_micro(min(ours, expected) if ours >= 0 else expected)
    price = (Decimal(max(ours, 0)) / units).quantize(_PRICE_STEP, rounding=ROUND_DOWN)
    return price, from_micro(max(ours, 0))


def _report(found: Found, *, name: str, fills: Sequence[FillReport]) -> OrderReport:
    matched = sum((fill.size for fill in fills), Decimal(0))
    if found.stage is Stage.FINAL:
        state = OrderState.FILLED if fills else OrderState.CANCELLED
        said = found.said if fills else f"{found.said}, and nothing of this outcome left the wallet"
    elif found.stage in (Stage.REVERTED, Stage.FAILED):
        state, said = OrderState.CANCELLED, found.said
    else:
        state, said = OrderState.PENDING, found.said
    return OrderReport(client_order_id=name, state=state, venue_status=said, size_matched=matched)


def _is(topic: str, address: str) -> bool:
    return topic[-40:] == address.lower().removeprefix("0x")


def _words(data: object) -> list[int]:
    text = str(data or "0x")[2:]
    try:
        return [int(text[at : at + 64], 16) for at in range(0, len(text), 64)]
    except ValueError as error:
        raise Unreadable("a log's data is not hexadecimal") from error


def _pairs(words: list[int]) -> list[tuple[int, int]]:
    """(token, units) of the two arrays of a batch transfer."""
    try:
        ids_at, units_at = words[0] // 32, words[1] // 32
        count = words[ids_at]
        ids, units = words[ids_at + 1 : ids_at + 1 + count], words[units_at + 1 : units_at + 1 + count]
        return list(zip(ids, units, strict=True))
    except (IndexError, ValueError) as error:
        raise Unreadable("a batch transfer does not read as one") from error
