"""Binary COPY: what goes in comes out, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tonsurance.plumbing.copying import Int2, Int8, Moment, Numeric, Text, copy_rows

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 14, 3, 9, 123457, tzinfo=UTC)


def read_back(**columns: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT a, b, money, price, word, at FROM copied ORDER BY a")
        return list(cursor.fetchall())


def make_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS copied")
        cursor.execute(
            "CREATE TEMP TABLE copied (a bigint, b smallint, money numeric(24,6), price numeric(24,10), word text,"
            " at timestamptz)"
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_every_amount_comes_back_to_the_micro_unit(amounts: list[int]) -> None:
    make_table()
    count = len(amounts)
    copy_rows(
        "copied",
        {
            "a": Int8(np.arange(count, dtype=np.int64)),
            "b": Int2(7),
            "money": Numeric(np.array(amounts, dtype=np.int64)),
            "price": Numeric.constant(Decimal("0.0123456789"), places=10),
            "word": Text("polymarkt é"),
            "at": Moment(AT),
        },
        count=count,
    )
    assert read_back() == [
        (row, 7, Decimal(amount).scaleb(-6), Decimal("0.0123456789"), "polymarkt é", AT)
        for row, amount in enumerate(amounts)
    ]


def test_more_rows_than_one_write_arrive_whole() -> None:
    make_table()
    count = 250_001
    values = np.arange(count, dtype=np.int64)
    price = Numeric(0, places=10)
    copy_rows(
        "copied",
        {
            "a": Int8(values),
            "b": Int2(values % 9),
            "money": Numeric(values),
            "price": price,
            "word": Text("x"),
        },
        count=count,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(a), sum(b), sum(money) FROM copied")
        row = cursor.fetchone()
    whole = int(values.sum())
    assert row == (count, whole, int((values % 9).sum()), Decimal(whole).scaleb(-6))


def test_no_rows_write_nothing() -> None:
    make_table()
    copy_rows("copied", {"a": Int8(np.zeros(0, dtype=np.int64)), "money": Numeric(1)}, count=0)
    assert read_back() == []


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (Numeric(-1), "money: a negative number"),
        (Numeric(np.zeros(3, dtype=np.int64)), "money: 3 values for 2 rows"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(column: Numeric, said: str) -> None:
    make_table()
    with pytest.raises(ValueError, match=said):
        copy_rows("copied", {"a": Int8(1), "money": column}, count=2)
    assert read_back() == []


def test_moments_may_differ_from_row_to_row() -> None:
    make_table()
    later = AT + timedelta(microseconds=1)
    moments = np.array([Moment.microseconds(AT), Moment.microseconds(later)], dtype=np.int64)
    copy_rows("copied", {"a": Int8(np.arange(2, dtype=np.int64)), "at": Moment(moments)}, count=2)
    assert [row[5] for row in read_back()] == [AT, later]
