"""Price-time priority and exact sizes, against a book told twice: by the program and by a plain list."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from venues.simulators.polymarket.book import Book, cash_e6
from venues.simulators.polymarket.records import BUY, SELL, Order
from venues.simulators.polymarket.units import LOT_E6

YES, NO = "1" * 77, "2" * 77


def _order(
    sequence: int, *, token: str, side: str, price_e4: int, lots: int, order_type: str = "GTC"
) -> Order:
    size = lots * LOT_E6
    money = cash_e6(size, price_e4)
    return Order(
        id=f"0x{sequence:064x}",
        condition_id="0xc",
        token_id=token,
        maker="m",
        signer="m",
        owner="o",
        side=side,
        maker_amount=money if side == BUY else size,
        taker_amount=size if side == BUY else money,
        price_e4=price_e4,
        size_e6=size,
        order_type=order_type,
        expiration=0,
        signature_type=0,
        created_at=sequence,
        sequence=sequence,
    )


def _book(*orders: Order) -> Book:
    book = Book(YES, now_ms=lambda: 0)
    for order in orders:
        book.add(order)
    return book


def test_the_best_price_is_taken_first_and_the_oldest_at_a_price():
    dear = _order(1, token=YES, side=SELL, price_e4=300, lots=100)
    late = _order(3, token=YES, side=SELL, price_e4=200, lots=100)
    early = _order(2, token=YES, side=SELL, price_e4=200, lots=100)
    plan = _book(dear, late, early).plan(_order(9, token=YES, side=BUY, price_e4=300, lots=250))
    assert [(fill.resting.id, fill.size_e6, fill.price_e4) for fill in plan.fills] == [
        (early.id, 1_000_000, 200),
        (late.id, 1_000_000, 200),
        (dear.id, 500_000, 300),
    ]
    assert plan.is_complete


def test_a_buyer_of_no_is_a_seller_of_yes():
    mint = _order(1, token=NO, side=BUY, price_e4=9760, lots=100)
    plan = _book(mint).plan(_order(2, token=YES, side=BUY, price_e4=240, lots=100))
    assert [(fill.resting.id, fill.price_e4) for fill in plan.fills] == [(mint.id, 240)]
    assert _book(mint).levels(YES) == ([], [(240, 1_000_000)])
    assert _book(mint).levels(NO) == ([(9760, 1_000_000)], [])


def test_a_budget_buys_whole_lots_and_leaves_only_dust():
    book = _book(_order(1, token=YES, side=SELL, price_e4=240, lots=100_000))
    taker = _order(2, token=YES, side=BUY, price_e4=240, lots=1, order_type="FOK")
    taker.maker_amount, taker.taker_amount = 1_000_000, 41_666_600
    plan = book.plan(taker)
    assert plan.size_e6 == 41_660_000
    assert plan.cash_e6 == 999_840
    assert plan.is_complete


def test_a_budget_larger_than_the_book_is_not_complete():
    book = _book(_order(1, token=YES, side=SELL, price_e4=200, lots=100))
    taker = _order(2, token=YES, side=BUY, price_e4=200, lots=1000, order_type="FOK")
    plan = book.plan(taker)
    assert plan.size_e6 == 1_000_000
    assert not plan.is_complete


def test_a_removed_order_is_not_taken():
    first = _order(1, token=YES, side=SELL, price_e4=200, lots=100)
    book = _book(first)
    book.remove(first)
    assert book.plan(_order(2, token=YES, side=BUY, price_e4=300, lots=1)).fills == ()


resting = st.tuples(
    st.sampled_from([YES, NO]), st.sampled_from([BUY, SELL]), st.integers(1, 99), st.integers(1, 500)
)


@given(st.lists(resting, max_size=30), resting, st.sampled_from(["GTC", "FAK", "FOK"]))
def test_every_plan_is_the_cheapest_in_price_then_time(rows, incoming, order_type):
    orders = [
        _order(index, token=token, side=side, price_e4=price * 100, lots=lots)
        for index, (token, side, price, lots) in enumerate(rows, 1)
    ]
    token, side, price, lots = incoming
    taker = _order(999, token=token, side=side, price_e4=price * 100, lots=lots, order_type=order_type)
    plan = _book(*orders).plan(taker)

    def seen(order: Order) -> int:
        return order.price_e4 if order.token_id == token else 10_000 - order.price_e4

    opposite = [row for row in orders if (row.side != side) == (row.token_id == token)]
    within = [
        row for row in opposite if (seen(row) <= price * 100 if side == BUY else seen(row) >= price * 100)
    ]
    ranked = sorted(within, key=lambda row: (seen(row) if side == BUY else -seen(row), row.sequence))
    taken = [fill.resting for fill in plan.fills]
    assert taken == ranked[: len(taken)]
    assert all(fill.size_e6 == fill.resting.size_e6 for fill in plan.fills[:-1])
    assert all(fill.size_e6 % LOT_E6 == 0 for fill in plan.fills)
    if taker.is_budget:
        assert plan.cash_e6 <= taker.maker_amount
    else:
        assert plan.size_e6 == min(taker.size_e6, sum(row.size_e6 for row in within))
    if plan.size_e6:
        average = Fraction(plan.cash_e6, plan.size_e6)
        limit = Fraction(price, 100)
        assert average <= limit if side == BUY else average >= limit
