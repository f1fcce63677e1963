"""The bench of order-book messages once on little work: equal books, and a ratio that is not absurd."""

from __future__ import annotations

import pytest

from tests.benches import books
from tests.benches.result import BenchScale, WrongAnswer
from venues.adapters.polymarket.book_stream import KeptBooks


def test_books_are_equal_and_read_faster_than_by_hand_and_by_the_sdk() -> None:
    result = books.run(books.SMALL)

    assert result.ratios[books.BY_HAND.name] > 1.5
    assert result.ratios[books.OFFICIAL.name] > 2


def test_a_book_that_differs_is_a_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    hear = KeptBooks.hear
    lost = iter([True])

    def careless(self: KeptBooks, frame: bytes) -> None:
        if b"price_change" in frame and next(lost, False):
            self.messages += 1
            return
        hear(self, frame)

    monkeypatch.setattr(KeptBooks, "hear", careless)

    with pytest.raises(WrongAnswer, match="is not the server's"):
        books.run(BenchScale(policies=3, rounds=1))
