"""What the test run itself stands on."""

from __future__ import annotations

import pytest
import redis
from django.db import connection

from tonsurance.launch.keeper import environment_of_children
from tonsurance.launch.practice import practice_exchange_start


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


def test_the_practice_exchange_is_new_for_every_test(practice_exchange):
    assert practice_exchange.get("truth")["orders"] == {}
    told = practice_exchange.environment()
    assert told["POLYMARKET_CHAIN_ID"] == "31337"
    assert told["POLYMARKET_CLOB_API_URL"] == f"{practice_exchange.base_url}/clob"


@pytest.mark.crash
def test_the_practice_exchange_remembers_through_a_kill(practice_exchange_alone, keeper, tmp_path):
    wallet = "0x00000000000000000000000000000000000000aa"
    practice_exchange_alone.post("fund", address=wallet, pusd="12.5")
    practice_exchange_alone.child.process.kill()
    practice_exchange_alone.child.process.wait(timeout=15)
    again = practice_exchange_start(
        keeper, home=tmp_path / "exchange", log=tmp_path / "again.log", environment=environment_of_children()
    )
    accounts = {name.lower(): row for name, row in again.get("truth")["accounts"].items()}
    assert accounts[wallet]["pusd"] == "12.5"
