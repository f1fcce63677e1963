"""One item's fault stays its own; an absent database is everybody's."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from hedging.models import Order
from tests import factories
from tonsurance.plumbing.apart import apart, database_is_away

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rule_of_the_database_is_the_items_own_fault() -> None:
    order = factories.order(
        factories.intent(factories.instrument()), state="FILLED", fills=[{"size": "1000", "price": "0.08"}]
    )

    with apart("an illegal move"):
        Order.objects.filter(pk=order.pk).update(state="SENDING")

    order.refresh_from_db()
    assert order.state == "FILLED"


def test_a_connection_that_ended_is_raised() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()

    with pytest.raises(OperationalError) as raised, apart("the database goes away"):
        Order.objects.count()

    assert database_is_away(raised.value)
    connection.close()
