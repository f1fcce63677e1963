"""What the test run itself stands on."""

from __future__ import annotations

import pytest
import redis
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_a_real_postgresql_of_a_supported_version():
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        (version,) = cursor.fetchone()
    assert 150000 <= int(version) < 190000


def test_valkey_keeps_what_it_is_told(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        client.set("bell", "rung")
        assert client.get("bell") == b"rung"
