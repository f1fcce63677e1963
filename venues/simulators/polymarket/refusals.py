"""The exchange's explicit no: an HTTP status and the venue's own words.

The texts are those of docs.polymarket.com/resources/error-codes.
"""

from __future__ import annotations

INVALID_PAYLOAD = "Invalid order payload"
FOK_KILLED = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_KILLED = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
)
POST_ONLY_CROSSES = "invalid post-only order: order crosses book"
OWNER_MISMATCH = "the order owner has to be the owner of the API KEY"
SIGNER_MISMATCH = "the order signer address has to be the address of the API KEY"
EOA_NOT_ALLOWED = "maker address not allowed, please use the deposit wallet flow"
VERSION_MISMATCH = "order_version_mismatch"
INVALID_SIGNATURE = "invalid signature"
INVALID_EXPIRATION = "invalid expiration"
MARKET_NOT_READY = "the market is not yet ready to process new orders"
NO_BOOK = "No orderbook exists for the requested token id"
NO_MARKET = "market not found"
UNAUTHORIZED = "Unauthorized/Invalid api key"
INVALID_L1 = "Invalid L1 Request headers"
INVALID_ORDER_ID = "Invalid orderID"
RESTARTING = "the matching engine is restarting"
TRADING_DISABLED = "Trading is currently disabled. Check polymarket.com for updates"
TOO_MANY = "Too Many Requests"
CANCEL_ONLY = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
POST_ONLY_MODE = "post-only mode: only post-only orders and cancels are allowed"


class Refusal(Exception):
    """A request the exchange answers with an error body; `extra` joins `error` in that body."""

    def __init__(
        self, status: int, error: str, *, headers: dict[str, str] | None = None, **extra: object
    ) -> None:
        super().__init__(error)
        self.headers = headers or {}
        self.status = status
        self.error = error
        self.extra = extra

    def body(self) -> dict[str, object]:
        """Return the JSON body the venue sends."""
        return {"error": self.error, **self.extra}


def duplicated(order_id: str) -> Refusal:
    """Return the answer to a hash the exchange has accepted before, whatever became of it."""
    return Refusal(400, f"order {order_id} is invalid. Duplicated.")


def off_tick(order_id: str, *, price: str, tick: str) -> Refusal:
    """Return the answer to a price that is not a whole multiple of the tick inside [tick, 1 - tick]."""
    return Refusal(400, f"order {order_id} is invalid. Price ({price}) breaks minimum tick size rule: {tick}")


def too_small(order_id: str, *, size: str, minimum: str) -> Refusal:
    """Return the answer to a limit order below the market's minimum size in shares."""
    return Refusal(400, f"order {order_id} is invalid. Size ({size}) lower than the minimum: {minimum}")


def imprecise(side: str, *, taker_decimals: int) -> Refusal:
    """Return the answer to a FAK or FOK whose amounts carry too many decimals."""
    words = "market buy orders" if side == "BUY" else "sell orders"
    return Refusal(
        400,
        f"invalid amounts, the {words} maker amount supports a max accuracy of 2 decimals, "
        f"taker amount a max of {taker_decimals} decimals",
    )


def below_one_dollar(amount: str) -> Refusal:
    """Return the answer to a marketable BUY worth less than one dollar."""
    return Refusal(400, f"invalid amount for a marketable BUY order (${amount}), min size: $1")


def short_balance(*, balance_e6: int, amount_e6: int) -> Refusal:
    """Return the answer to an order the wallet cannot pay for, in base units, fees included."""
    return Refusal(
        400,
        "not enough balance / allowance: the balance is not enough -> "
        f"balance: {balance_e6}, order amount: {amount_e6}",
    )


def short_allowance(*, spender: str, allowance: int) -> Refusal:
    """Return the answer to an order whose exchange may not take the wallet's tokens."""
    return Refusal(
        400,
        "not enough balance / allowance: the allowance is not enough -> "
        f"spender: {spender}, allowance: {allowance}",
    )
