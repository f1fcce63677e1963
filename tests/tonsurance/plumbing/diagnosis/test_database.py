"""A real PostgreSQL is asked; what is wrong with it is made wrong for real."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.findings import Finding
from tonsurance.plumbing.diagnosis import database
from tonsurance.plumbing.diagnosis.database import (
    connections_ask,
    database_ask,
    disk_ask,
    migrations_ask,
    transactions_ask,
)

pytestmark = pytest.mark.django_db


def by_code(found: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in found}


def other_session() -> psycopg.Connection[Any]:
    told = connection.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    return psycopg.connect(**{key: told[key] for key in keys if told.get(key)})


def test_the_test_s_own_server_is_the_one_that_the_book_needs() -> None:
    found = by_code(database_ask(now=utc_now()))
    assert {code: finding.level.value for code, finding in found.items() if code != "durability"} == {
        "database_version": "ok",
        "isolation": "ok",
        "primary": "ok",
    }
    # The servers of a test run keep nothing through a power cut, and the doctor says so.
    assert found["durability"].level.value == "warning"
    assert found["durability"].sentence.startswith("fsync=off")


def test_another_isolation_level_is_a_fault() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'serializable'")
    try:
        found = by_code(database_ask(now=utc_now()))["isolation"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET default_transaction_isolation")
    assert found.level.value == "fault"
    assert (
        found.sentence
        == "Transactions are serializable by default: the send gate refuses every order under it"
    )


@pytest.mark.parametrize(("major", "level"), [(14, "fault"), (15, "ok"), (18, "ok"), (19, "warning")])
def test_versions_are_those_that_were_tested(major: int, level: str) -> None:
    assert database._version(f"{major}.1", major).level.value == level


def test_a_standby_is_a_fault() -> None:
    assert database._primary(is_replica=True).level.value == "fault"


def test_every_migration_is_there() -> None:
    (found,) = migrations_ask(now=utc_now())
    assert found.level.value == "ok"


def test_a_missing_migration_is_named() -> None:
    MigrationRecorder.Migration.objects.filter(app="plumbing", name="0002_checkups").delete()
    (found,) = migrations_ask(now=utc_now())
    assert (found.level.value, found.sentence) == (
        "fault",
        "1 migrations are missing: plumbing.0002_checkups",
    )
    assert found.remedy == "manage.py migrate"


def test_a_migration_of_a_newer_release_is_named() -> None:
    MigrationRecorder.Migration.objects.create(app="hedging", name="9999_future", applied=utc_now())
    (found,) = migrations_ask(now=utc_now())
    assert found.level.value == "warning"
    assert found.sentence.endswith("that this release does not know: hedging.9999_future")


@contextmanager
def sessions(count: int) -> Iterator[None]:
    opened = [other_session() for _ in range(count)]
    try:
        yield
    finally:
        for one in opened:
            one.close()


def test_taken_connections_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = connections_ask(now=utc_now())
    with connection.cursor() as cursor:
        # Within one transaction, as this test's, the server shows one picture of its sessions.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
    with sessions(3):
        (after,) = connections_ask(now=utc_now())
    assert before.level.value == "ok"
    assert int(after.sentence.split()[0]) >= int(before.sentence.split()[0]) + 3
    monkeypatch.setattr(database, "CONNECTIONS_FAULT", 0.001)
    (full,) = connections_ask(now=utc_now())
    assert (full.level.value, full.code) == ("fault", "connections")


def test_the_oldest_transaction_is_named_by_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with other_session() as forgotten:
        forgotten.execute("SELECT 1")
        time.sleep(0.2)
        monkeypatch.setattr(database, "TRANSACTION_S_WARNING", 0.1)
        found = by_code(transactions_ask(now=utc_now()))["oldest_transaction"]
        pid = forgotten.info.backend_pid
    assert found.level.value == "warning"
    assert f"process {pid}, idle in transaction" in found.sentence
    assert f"pg_terminate_backend({pid})" in found.remedy


@pytest.mark.django_db(transaction=True)
def test_sessions_that_wait_for_a_lock_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT_S_WARNING", 0.3)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE doctor_lock (id int)")
    with other_session() as holder:
        holder.execute("LOCK TABLE doctor_lock")
        waiter = other_session()
        thread = threading.Thread(
            target=lambda: waiter.execute("SELECT count(*) FROM doctor_lock"), daemon=True
        )
        thread.start()
        time.sleep(1)
        found = by_code(transactions_ask(now=utc_now()))
    thread.join(5)
    waiter.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE doctor_lock")
    assert found["lock_waits"].sentence == "1 sessions have waited for a lock for more than 0.3 s"


def test_the_disk_is_seen_where_the_server_is_this_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = disk_ask(now=utc_now())
    assert found.level.value in {"ok", "warning", "fault"}
    assert "GiB left" in found.sentence
    monkeypatch.setattr(database, "DISK_SHARE_WARNING", 0.0)
    monkeypatch.setattr(database, "DISK_SHARE_FAULT", 0.0)
    (full,) = disk_ask(now=utc_now())
    assert full.level.value == "fault"


def test_the_disk_of_another_machine_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "db.example")
    (found,) = disk_ask(now=utc_now())
    assert found.level.value == "ok"
    assert found.sentence.endswith("its disk is not visible from here")


def test_a_question_that_fails_leaves_the_transaction_usable() -> None:
    with transaction.atomic():
        disk_ask(now=utc_now())
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
