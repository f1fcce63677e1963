"""Both official clients behind one set of words, so that the same day can be traded with either.

`polymarket-client` in its synchronous and asynchronous form, and `py-clob-client-v2`, all as they are shipped. The
latter knows only production's chain and the dead test network's, so the exchange runs with its Amoy profile.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from polymarket import AsyncSecureClient, RequestRejectedError, SecureClient
from polymarket._internal.actions.orders.typed_data import (
    _build_standard_typed_data,
    build_order_signature,
    build_order_typed_data,
)
from polymarket._internal.actions.orders.types import UnsignedOrder
from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment
from py_clob_client_v2 import (
    BalanceAllowanceParams,
    ClobClient,
    MarketOrderArgsV2,
    OrderArgsV2,
    OrderPayload,
    PostOrdersV2Args,
    SignatureTypeV2,
    TradeParams,
)
from py_clob_client_v2.exceptions import PolyApiException
from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, Side
from py_clob_client_v2.order_utils.model.order_data_v2 import OrderDataV2
from py_clob_client_v2.signer import Signer

from tests.venues.simulators.polymarket.rig import Exchange, sdk_fields
from venues.simulators.polymarket.config import amoy, contracts, domain_version, urls

CHAIN = amoy()
ZERO = "0x" + "00" * 32


@dataclass(frozen=True, kw_only=True)
class Wish:
    """An order in nobody's words: `amount` is pUSD of a market BUY, shares otherwise; `kind` is its order type."""

    token_id: str
    side: str
    amount: str
    price: str
    kind: str
    protocol: str = "v1"
    expiration: int = 0
    post_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What was signed, as both clients and the wire know it."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: int
    taker_amount: int
    side: str
    signature_type: int
    timestamp: int
    signature: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: a status and amounts, or the venue's words (an order's hash left out)."""

    order_id: str
    status: str
    making: Decimal
    taking: Decimal
    words: str = ""

    def told(self) -> tuple[str, Decimal, Decimal, str]:
        """Return what must be the same whoever asked."""
        return self.status, self.making, self.taking, self.words


class Trader(Protocol):
    """The words."""

    wallet: str
    key_id: str
    signed: list[tuple[Signed, str]]

    def place(self, wish: Wish) -> Answer: ...
    def place_all(self, wishes: Sequence[Wish]) -> list[Answer]: ...
    def cancel(self, order_id: str) -> tuple[list[str], dict[str, str]]: ...
    def cancel_all(self) -> list[str]: ...
    def touch(self, token_id: str) -> tuple[Decimal, Decimal]: ...
    def order(self, order_id: str) -> tuple[str, str, Decimal, Decimal, Decimal]: ...
    def open_orders(self) -> set[str]: ...
    def trades(self) -> list[tuple[Any, ...]]: ...
    def balance(self, asset_type: str, token_id: str = "") -> int: ...
    def close(self) -> None: ...


def _words(text: str) -> str:
    return re.sub(r"0x[0-9a-f]{64}", "HASH", text)


class SdkTrader:
    """`polymarket-client`, synchronous."""

    def __init__(self, exchange: Exchange, key: str, wallet: str | None) -> None:
        places = {name: url for name, url in urls(exchange.base).items() if name in sdk_fields()}
        changes: dict[str, Any] = {**places, **contracts(CHAIN)}
        config = dataclasses.replace(PRODUCTION_CONFIG, **changes)
        self.environment = create_environment(name="practice", config=config)
        self.signed: list[tuple[Signed, str]] = []
        self._open(key, wallet or str(Account.from_key(key).address))
        self.wallet = str(self._client.wallet)
        self.key_id = str(self._client.credentials.key)

    def _open(self, key: str, wallet: str) -> None:
        self._client: Any = SecureClient.create(private_key=key, wallet=wallet, environment=self.environment)

    def _ask(self, name: str, **arguments: Any) -> Any:
        return getattr(self._client, name)(**arguments)

    def _all(self, name: str) -> list[Any]:
        return list(self._ask(name).iter_items())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def place(self, wish: Wish) -> Answer:
        """Sign and post one order."""
        return self._posted([wish], lambda orders: [self._ask("post_order", signed_order=orders[0])])[0]

    def place_all(self, wishes: Sequence[Wish]) -> list[Answer]:
        """Sign and post a batch."""
        return self._posted(wishes, lambda orders: self._ask("post_orders", signed_orders=orders))

    def cancel(self, order_id: str) -> tuple[list[str], dict[str, str]]:
        """Cancel one order."""
        gone = self._ask("cancel_order", order_id=order_id)
        return [str(row) for row in gone.canceled], {str(k): v for k, v in gone.not_canceled.items()}

    def cancel_all(self) -> list[str]:
        """Cancel every order."""
        return [str(row) for row in self._ask("cancel_all").canceled]

    def touch(self, token_id: str) -> tuple[Decimal, Decimal]:
        """Return the best bid and ask."""
        book = self._ask("get_order_book", asset_id=token_id)
        return book.bids[-1].price, book.asks[-1].price

    def order(self, order_id: str) -> tuple[str, str, Decimal, Decimal, Decimal]:
        """Return an order's status, side, price, size and matched size."""
        row = self._ask("get_order", order_id=order_id)
        return str(row.status), str(row.side), row.price, row.original_size, row.size_matched

    def open_orders(self) -> set[str]:
        """Return the ids of the orders that rest."""
        return {str(row.id) for row in self._all("list_open_orders")}

    def trades(self) -> list[tuple[Any, ...]]:
        """Return the trades, oldest first."""
        rows = [
            (row.asset_id, row.side, row.size, row.price, row.status, row.trader_side, row.outcome,
             tuple((m.asset_id, m.side, m.matched_amount, m.price) for m in row.maker_orders))
            for row in self._all("list_account_trades")
        ]  # fmt: skip
        return rows[::-1]

    def balance(self, asset_type: str, token_id: str = "") -> int:
        """Return a balance in base units."""
        asked = {"token_id": token_id} if token_id else {}
        return int(self._ask("get_balance_allowance", asset_type=asset_type, **asked).balance)

    def _posted(self, wishes: Sequence[Wish], post: Callable[[list[Any]], Sequence[Any]]) -> list[Answer]:
        orders = [self._sign(wish) for wish in wishes]
        try:
            answers = post(orders)
        except RequestRejectedError as refused:
            return [
                Answer(
                    order_id="", status="", making=Decimal(0), taking=Decimal(0), words=_words(str(refused))
                )
            ]
        return [_sdk_answer(row) for row in answers]

    def _sign(self, wish: Wish) -> Any:
        common = {"asset_id": wish.token_id, "side": wish.side}
        if wish.kind in ("GTC", "GTD"):
            order = self._ask(
                "create_limit_order",
                price=wish.price,
                size=wish.amount,
                post_only=wish.post_only,
                expiration=wish.expiration or None,
                **common,
            )
        else:
            sides = {"BUY": ("amount", "max_price"), "SELL": ("shares", "min_price")}
            how_much, bound = sides[wish.side]
            order = self._ask(
                "create_market_order",
                order_type=wish.kind,
                **{how_much: wish.amount, bound: wish.price},
                **common,
            )
        names = [field.name for field in dataclasses.fields(Signed)]
        row = Signed(**{name: getattr(order, name) for name in names})
        self.signed.append((row, wish.protocol))
        return order


class AsyncSdkTrader(SdkTrader):
    """`polymarket-client`, asynchronous."""

    def _open(self, key: str, wallet: str) -> None:
        self._loop = asyncio.new_event_loop()
        made = AsyncSecureClient.create(private_key=key, wallet=wallet, environment=self.environment)
        self._client = self._loop.run_until_complete(made)

    def _ask(self, name: str, **arguments: Any) -> Any:
        return self._loop.run_until_complete(getattr(self._client, name)(**arguments))

    def _all(self, name: str) -> list[Any]:
        async def gather() -> list[Any]:
            return [row async for row in getattr(self._client, name)().iter_items()]

        return self._loop.run_until_complete(gather())

    def close(self) -> None:
        """Close the connections and the loop."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()


class OlderTrader:
    """`py-clob-client-v2`."""

    def __init__(self, exchange: Exchange, key: str, wallet: str | None) -> None:
        kind = SignatureTypeV2.EOA if wallet is None else SignatureTypeV2.POLY_1271
        self._client = ClobClient(
            f"{exchange.base}/clob", CHAIN.chain_id, key, signature_type=kind, funder=wallet
        )
        credentials = self._client.create_or_derive_api_key()
        self._client.set_api_creds(credentials)
        self.wallet = wallet or str(self._client.get_address())
        self.key_id = str(credentials.api_key)
        self.signed: list[tuple[Signed, str]] = []

    def close(self) -> None:
        """Nothing to close: its connections are the module's."""

    def place(self, wish: Wish) -> Answer:
        """Sign and post one order."""
        order = self._sign(wish)
        try:
            return _older_answer(self._client.post_order(order, wish.kind, wish.post_only))
        except PolyApiException as refused:
            return _older_answer({"errorMsg": refused.error_msg["error"]})

    def place_all(self, wishes: Sequence[Wish]) -> list[Answer]:
        """Sign and post a batch."""
        batch = [PostOrdersV2Args(order=self._sign(wish), orderType=wish.kind) for wish in wishes]
        return [_older_answer(row) for row in self._client.post_orders(batch)]

    def cancel(self, order_id: str) -> tuple[list[str], dict[str, str]]:
        """Cancel one order."""
        gone = self._client.cancel_order(OrderPayload(orderID=order_id))
        return gone["canceled"], gone["not_canceled"]

    def cancel_all(self) -> list[str]:
        """Cancel every order."""
        return list(self._client.cancel_all()["canceled"])

    def touch(self, token_id: str) -> tuple[Decimal, Decimal]:
        """Return the best bid and ask, having checked the book's hash."""
        book = self._client.get_order_book(token_id)
        assert self._client.get_order_book_hash(dict(book)) == book["hash"]
        return Decimal(book["bids"][-1]["price"]), Decimal(book["asks"][-1]["price"])

    def order(self, order_id: str) -> tuple[str, str, Decimal, Decimal, Decimal]:
        """Return an order's status, side, price, size and matched size."""
        row = self._client.get_order(order_id)
        numbers = (Decimal(row[name]) for name in ("price", "original_size", "size_matched"))
        return row["status"], row["side"], *numbers

    def open_orders(self) -> set[str]:
        """Return the ids of the orders that rest."""
        return {row["id"] for row in self._client.get_open_orders()}

    def trades(self) -> list[tuple[Any, ...]]:
        """Return the trades, oldest first."""
        rows = [
            (row["asset_id"], row["side"], Decimal(row["size"]), Decimal(row["price"]), row["status"],
             row["trader_side"], row["outcome"],
             tuple((m["asset_id"], m["side"], Decimal(m["matched_amount"]), Decimal(m["price"]))
                   for m in row["maker_orders"]))
            for row in self._client.get_trades(TradeParams())
        ]  # fmt: skip
        return rows[::-1]

    def balance(self, asset_type: str, token_id: str = "") -> int:
        """Return a balance in base units."""
        asked = BalanceAllowanceParams(asset_type=asset_type, token_id=token_id or None)
        return int(self._client.get_balance_allowance(asked)["balance"])

    def _sign(self, wish: Wish) -> Any:
        is_v2 = wish.protocol == "v2"
        asset = {
            "token_id": None if is_v2 else wish.token_id,
            "position_id": wish.token_id if is_v2 else None,
        }
        if wish.kind in ("GTC", "GTD"):
            order = self._client.create_order(
                OrderArgsV2(
                    price=float(wish.price),
                    size=float(wish.amount),
                    side=wish.side,
                    expiration=wish.expiration,
                    **asset,
                )
            )
        else:
            order = self._client.create_market_order(
                MarketOrderArgsV2(
                    amount=float(wish.amount),
                    side=wish.side,
                    price=float(wish.price),
                    order_type=wish.kind,
                    **asset,
                )
            )
        row = Signed(
            salt=int(order.salt),
            maker=order.maker,
            signer=order.signer,
            token_id=order.tokenId,
            maker_amount=int(order.makerAmount),
            taker_amount=int(order.takerAmount),
            side="BUY" if order.side == Side.BUY else "SELL",
            signature_type=int(order.signatureType),
            timestamp=int(order.timestamp),
            signature=order.signature,
        )
        self.signed.append((row, wish.protocol))
        return order


# ------------------------------------------------------------------------------------------------ the same order twice
def sdk_signs(order: Signed, *, key: str, exchange: str, protocol: str) -> tuple[str, str]:
    """Return (hash, signature) that `polymarket-client` gives an order."""
    fields: dict[str, Any] = {
        "chain_id": CHAIN.chain_id,
        "builder": ZERO,
        "exchange_address": exchange,
        "expiration": 0,
        "maker": order.maker,
        "maker_amount": order.maker_amount,
        "metadata": ZERO,
        "order_type": "GTC",
        "salt": order.salt,
        "side": order.side,
        "signature_type": order.signature_type,
        "signer": order.signer,
        "taker_amount": order.taker_amount,
        "timestamp": order.timestamp,
        "token_id": order.token_id,
        "protocol_version": domain_version(protocol),
    }
    unsigned = UnsignedOrder(**fields)
    typed = encode_typed_data(full_message=build_order_typed_data(unsigned))
    raw = "0x" + Account.sign_message(typed, private_key=key).signature.hex().removeprefix("0x")
    plain = encode_typed_data(
        full_message=_build_standard_typed_data(unsigned, protocol_version=domain_version(protocol))
    )
    digest = keccak(b"\x19" + plain.version + plain.header + plain.body)
    return "0x" + digest.hex(), str(build_order_signature(unsigned, raw))


def older_signs(order: Signed, *, key: str, exchange: str, protocol: str) -> tuple[str, str]:
    """Return (hash, signature) that `py-clob-client-v2` gives an order."""
    builder = ExchangeOrderBuilderV2(
        exchange,
        CHAIN.chain_id,
        Signer(key, CHAIN.chain_id),
        generate_salt=lambda: str(order.salt),
        domain_version=domain_version(protocol),
    )
    signed = builder.build_signed_order(
        OrderDataV2(
            maker=order.maker,
            tokenId=order.token_id,
            makerAmount=str(order.maker_amount),
            takerAmount=str(order.taker_amount),
            side=Side.BUY if order.side == "BUY" else Side.SELL,
            signer=order.signer,
            signatureType=SignatureTypeV2(order.signature_type),
            timestamp=str(order.timestamp),
        )
    )
    return builder.build_order_hash(builder.build_order_typed_data(signed)), signed.signature


def _sdk_answer(row: Any) -> Answer:
    if not row.ok:
        return Answer(order_id="", status="", making=Decimal(0), taking=Decimal(0), words=_words(row.message))
    return Answer(
        order_id=str(row.order_id), status=row.status, making=row.making_amount, taking=row.taking_amount
    )


def _older_answer(row: dict[str, Any]) -> Answer:
    return Answer(
        order_id=row.get("orderID", ""),
        status=row.get("status", ""),
        making=Decimal(row.get("makingAmount") or 0),
        taking=Decimal(row.get("takingAmount") or 0),
        words=_words(row["errorMsg"]),
    )
