"""Counting without reading everything."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tonsurance.plumbing.counts import CappedPaginator, estimated_count, estimates_forget

pytestmark = pytest.mark.django_db


class ThreeAtMost(CappedPaginator):
    count_max = 3


def people(number: int) -> None:
    User.objects.bulk_create([User(username=f"u{i}") for i in range(number)])


def test_few_rows_are_counted_exactly():
    people(2)
    assert CappedPaginator(User.objects.order_by("id"), 50).count == 2


def test_many_rows_are_counted_up_to_the_cap_and_no_further():
    people(10)
    paginator = ThreeAtMost(User.objects.order_by("id"), 2)
    with CaptureQueriesContext(connection) as queries:
        assert paginator.count == 3
    assert "LIMIT 3" in queries[0]["sql"]
    assert paginator.num_pages == 2


def test_an_estimate_is_asked_once_and_remembered_per_question():
    estimates_forget()
    query = "SELECT FROM auth_user WHERE username > %(name)s"
    with CaptureQueriesContext(connection) as queries:
        first = estimated_count(query, {"name": "a"})
        again = estimated_count(query, {"name": "a"})
        estimated_count(query, {"name": "b"})
    assert first == again
    assert len(queries) == 2
