"""The other side of the market: two house accounts that quote what they are told to quote.

One quotes with pUSD only (its offers of YES are bids for NO, so its fills mint pairs), the other sells shares
it has split beforehand. Their orders rest and match like anyone's.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.crypto import keccak

from venues.simulators.polymarket.book import cash_e6
from venues.simulators.polymarket.cancels import order_withdraw
from venues.simulators.polymarket.ledger import account_fund, pairs_split, shares_reserved
from venues.simulators.polymarket.matching import order_execute
from venues.simulators.polymarket.records import BUY, CANCELED, SELL, Market, Order
from venues.simulators.polymarket.state import State
from venues.simulators.polymarket.units import LOT_E6, PRICE_ONE_E4, UNIT_E6

MINTER = "0x3133700000000000000000000000000000009001"
SELLER = "0x3133700000000000000000000000000000009002"
PURSE_E6 = 1_000_000_000 * UNIT_E6
LEVELS_MAX = 500

Level = tuple[int, int]
"""(price_e4, size_e6) in YES."""


def makers_open(state: State) -> None:
    """Fund the house accounts once."""
    for address in (MINTER, SELLER):
        if address not in state.accounts:
            account_fund(state, state.account_open(address), pusd_e6=PURSE_E6)


def book_set(
    state: State, market: Market, *, bids: Sequence[Level], asks: Sequence[Level], now_ms: int
) -> None:
    """Replace the house's quotes of a market; a quote that crosses a user's order trades with it.

    ValueError for a level off the tick, outside [tick, 1 - tick], not in whole hundredths of a share, or for
    a book that crosses itself; then nothing changes.
    """
    _validate(market, bids=bids, asks=asks)
    book_clear(state, market)
    for index, (price_e4, size_e6) in enumerate(sorted(bids, reverse=True)):
        _quote(state, market, is_bid=True, price_e4=price_e4, size_e6=size_e6, index=index, now_ms=now_ms)
    for index, (price_e4, size_e6) in enumerate(sorted(asks)):
        _quote(state, market, is_bid=False, price_e4=price_e4, size_e6=size_e6, index=index, now_ms=now_ms)


def book_follow(
    state: State, market: Market, *, bids: Sequence[Level], asks: Sequence[Level], now_ms: int
) -> None:
    """Make the house's quotes these levels by changing only those that differ; levels off the tick are moved onto it.

    What is withdrawn goes first, so that the house never trades with itself.
    """
    wanted_bids, wanted_asks = on_grid(market, bids=bids[:LEVELS_MAX], asks=asks[:LEVELS_MAX])
    stand_bids, stand_asks = house_levels(state, market)
    new = [
        (is_bid, price, size)
        for is_bid, wanted, stands in ((True, wanted_bids, stand_bids), (False, wanted_asks, stand_asks))
        for price, size in wanted
        if _summed(stands).get(price) != size
    ]
    kept = {
        (is_bid, price)
        for is_bid, wanted in ((True, wanted_bids), (False, wanted_asks))
        for price, _ in wanted
    } - {(is_bid, price) for is_bid, price, _ in new}
    for order in [order for order in state.books[market.condition_id].orders() if order.synthetic]:
        if _place_of(market, order) not in kept:
            order_withdraw(state, order, status=CANCELED)
    for is_bid, price_e4, size_e6 in new:
        index = price_e4 // market.tick_e4
        _quote(state, market, is_bid=is_bid, price_e4=price_e4, size_e6=size_e6, index=index, now_ms=now_ms)


def _summed(levels: Sequence[Level]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for price, size in levels:
        sizes[price] = sizes.get(price, 0) + size
    return sizes


def _place_of(market: Market, order: Order) -> tuple[bool, int]:
    """Return where an order stands in YES: whether it is a bid, and its price."""
    is_yes = order.token_id == market.token_ids[0]
    return (order.side == BUY) == is_yes, order.price_e4 if is_yes else PRICE_ONE_E4 - order.price_e4


def book_clear(state: State, market: Market) -> None:
    """Withdraw the house's quotes of a market."""
    for order in [order for order in state.books[market.condition_id].orders() if order.synthetic]:
        order_withdraw(state, order, status=CANCELED)


def book_move(state: State, market: Market, *, ticks: int, now_ms: int) -> None:
    """Shift the house's quotes by whole ticks; levels pushed out of [tick, 1 - tick] disappear."""
    bids, asks = house_levels(state, market)
    step = ticks * market.tick_e4

    def shifted(levels: Sequence[Level]) -> list[Level]:
        moved = [(price + step, size) for price, size in levels]
        return [row for row in moved if market.tick_e4 <= row[0] <= PRICE_ONE_E4 - market.tick_e4]

    book_set(state, market, bids=shifted(bids), asks=shifted(asks), now_ms=now_ms)


def book_regrid(state: State, market: Market, *, now_ms: int) -> None:
    """Move the house's quotes onto a tick that became coarser, away from the touch.

    Orders of users stay where they were signed: the contract knows their price, not the tick.
    """
    bids, asks = house_levels(state, market)
    if any(price % market.tick_e4 for price, _ in (*bids, *asks)):
        bids, asks = on_grid(market, bids=bids, asks=asks)
        book_set(state, market, bids=bids, asks=asks, now_ms=now_ms)


def on_grid(
    market: Market, *, bids: Sequence[Level], asks: Sequence[Level]
) -> tuple[list[Level], list[Level]]:
    """Return levels on a market's tick: bids rounded down, asks up, what leaves [tick, 1 - tick] left out."""
    tick = market.tick_e4

    def placed(levels: Sequence[Level], *, up: bool) -> list[Level]:
        sizes: dict[int, int] = {}
        for price, size in levels:
            steps = -(-price // tick) if up else price // tick
            sizes[steps * tick] = sizes.get(steps * tick, 0) + size
        return [row for row in sizes.items() if tick <= row[0] <= PRICE_ONE_E4 - tick]

    return placed(bids, up=False), placed(asks, up=True)


def house_levels(state: State, market: Market) -> tuple[list[Level], list[Level]]:
    """Return the house's own (bids, asks) of a market in YES."""
    bids: list[Level] = []
    asks: list[Level] = []
    for order in state.books[market.condition_id].orders():
        if not order.synthetic:
            continue
        is_bid, price = _place_of(market, order)
        (bids if is_bid else asks).append((price, order.remaining_e6))
    return bids, asks


def _quote(
    state: State, market: Market, *, is_bid: bool, price_e4: int, size_e6: int, index: int, now_ms: int
) -> None:
    yes, no = market.token_ids
    if is_bid:
        maker, token_id, side, own_price = MINTER, yes, BUY, price_e4
    elif index % 2 == 0:
        maker, token_id, side, own_price = SELLER, yes, SELL, price_e4
        _stock(state, market, token_id=yes, size_e6=size_e6)
    else:
        maker, token_id, side, own_price = MINTER, no, BUY, PRICE_ONE_E4 - price_e4
    sequence = state.next_sequence()
    money = cash_e6(size_e6, own_price)
    order = Order(
        id="0x" + keccak(text=f"house:{state.config.seed}:{market.condition_id}:{sequence}").hex(),
        condition_id=market.condition_id,
        token_id=token_id,
        maker=maker,
        signer=maker,
        owner="",
        side=side,
        maker_amount=money if side == BUY else size_e6,
        taker_amount=size_e6 if side == BUY else money,
        price_e4=own_price,
        size_e6=size_e6,
        order_type="GTC",
        expiration=0,
        signature_type=0,
        created_at=now_ms,
        sequence=sequence,
        synthetic=True,
    )
    plan = state.books[market.condition_id].plan(order)
    order_execute(state, order, market, plan=plan, now_ms=now_ms)


def _stock(state: State, market: Market, *, token_id: str, size_e6: int) -> None:
    """Split enough pairs that the seller owns what it is about to offer."""
    seller = state.account_open(SELLER)
    held = seller.positions.get(token_id)
    free = (held.size_e6 if held else 0) - shares_reserved(state, SELLER, token_id=token_id)
    if free < size_e6:
        pairs_split(state, seller, market, size_e6=size_e6 - free)


def _validate(market: Market, *, bids: Sequence[Level], asks: Sequence[Level]) -> None:
    if len(bids) > LEVELS_MAX or len(asks) > LEVELS_MAX:
        raise ValueError(f"a book has at most {LEVELS_MAX} levels a side")
    for price_e4, size_e6 in (*bids, *asks):
        if price_e4 % market.tick_e4 or not market.tick_e4 <= price_e4 <= PRICE_ONE_E4 - market.tick_e4:
            raise ValueError(f"price {price_e4 / PRICE_ONE_E4} is off the tick")
        if size_e6 <= 0 or size_e6 % LOT_E6:
            raise ValueError("sizes are positive hundredths of a share")
    if bids and asks and max(bids)[0] >= min(asks)[0]:
        raise ValueError("the best bid must be below the best ask")
