"""Whether PostgreSQL is the one that the book needs, and has room left."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from tonsurance.kernel.findings import Finding, by_limits, fault, judged, ok, warning

VERSION_MIN = 15
VERSION_TESTED_MAX = 18
CONNECTIONS_WARNING, CONNECTIONS_FAULT = 0.8, 0.95
TRANSACTION_S_WARNING, TRANSACTION_S_FAULT = 300, 3_600
LOCK_WAIT_S_WARNING = 10
DISK_SHARE_WARNING, DISK_SHARE_FAULT = 0.85, 0.95
_GIB = 1024**3


def database_ask(*, now: datetime) -> list[Finding]:
    """Reach it; its version, its isolation level, and whether what it commits survives a power cut."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
                " current_setting('default_transaction_isolation'), current_setting('fsync'),"
                " current_setting('synchronous_commit'), current_setting('full_page_writes'), pg_is_in_recovery()"
            )
            name, major, isolation, *durable, is_replica = cursor.fetchone()
    except (OperationalError, InterfaceError) as error:
        return [_unreachable(error)]
    return [
        _version(name, major),
        _isolation(isolation),
        _durability(durable),
        _primary(is_replica=is_replica),
    ]


def _unreachable(error: Exception) -> Finding:
    words = " ".join(str(error).split())[:200]
    return fault(
        "database_unreachable",
        f"The database does not answer: {words}",
        remedy="Bring PostgreSQL back, or correct DATABASE_URL; nothing is sold or sent until then",
        runbook="database-down",
    )


def _version(name: str, major: int) -> Finding:
    if major < VERSION_MIN:
        return fault(
            "database_version",
            f"PostgreSQL {name} is older than {VERSION_MIN}",
            remedy="Move to a supported version",
        )
    if major > VERSION_TESTED_MAX:
        return warning(
            "database_version",
            f"PostgreSQL {name} is newer than {VERSION_TESTED_MAX}, the newest this release was tested on",
            remedy="Run `manage.py test` against it before trading on it",
        )
    return ok("database_version", f"PostgreSQL {name}")


def _isolation(level: str) -> Finding:
    if level != "read committed":
        return fault(
            "isolation",
            f"Transactions are {level} by default: the send gate refuses every order under it",
            remedy="ALTER ROLE … SET default_transaction_isolation = 'read committed', then start the processes again",
        )
    return ok("isolation", "Transactions are read committed, as the send gate demands")


def _durability(found: list[str]) -> Finding:
    fsync, commit, pages = found
    if fsync == "on" and commit in {"on", "remote_write", "remote_apply"} and pages == "on":
        return ok("durability", "What is committed survives a power cut")
    return warning(
        "durability",
        f"fsync={fsync}, synchronous_commit={commit}, full_page_writes={pages}: a crash may forget a sent order",
        remedy="Switch all three on in production; a demo or a test may leave them",
        runbook="database-down",
    )


def _primary(*, is_replica: bool) -> Finding:
    if is_replica:
        return fault(
            "primary",
            "This is a standby: nothing can be written here",
            remedy="Point DATABASE_URL at the primary",
            runbook="database-down",
        )
    return ok("primary", "This is the primary")


def migrations_ask(*, now: datetime) -> list[Finding]:
    """Whether the schema is that of this release: neither behind nor ahead."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{m.app_label}.{m.name}" for m, _ in missing[:3])
        return [
            fault(
                "migrations",
                f"{len(missing)} migrations are missing: {names}{' …' if len(missing) > 3 else ''}",
                remedy="manage.py migrate",
            )
        ]
    known = set(executor.loader.disk_migrations)
    foreign = sorted(key for key in executor.loader.applied_migrations if key not in known)
    if foreign:
        names = ", ".join(f"{app}.{name}" for app, name in foreign[:3])
        return [
            warning(
                "migrations",
                f"The database has {len(foreign)} migrations that this release does not know: {names}",
                remedy="Run the newer release everywhere, or migrate back with it",
            )
        ]
    return [ok("migrations", f"All {len(executor.loader.applied_migrations)} migrations are applied")]


def connections_ask(*, now: datetime) -> list[Finding]:
    """How many of the server's connections are taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE backend_type = 'client backend'),"
            " count(*) FILTER (WHERE datname = current_database() AND backend_type = 'client backend'),"
            " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
            " FROM pg_stat_activity"
        )
        taken, ours, most = cursor.fetchone()
    return [
        judged(
            by_limits(taken / most, warning_at=CONNECTIONS_WARNING, fault_at=CONNECTIONS_FAULT),
            "connections",
            f"{taken} of {most} connections are taken, {ours} of them by this database's processes",
            remedy="Raise max_connections or put a pooler in front; look for a process that opens too many",
        )
    ]


def transactions_ask(*, now: datetime) -> list[Finding]:
    """The oldest open transaction: it keeps dead rows, and perhaps a lock that others wait for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8, pid, application_name, state"
            " FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND datname = current_database() ORDER BY xact_start LIMIT 1"
        )
        oldest = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            " AND clock_timestamp() - state_change > %s * interval '1 second'",
            [LOCK_WAIT_S_WARNING],
        )
        waiting = cursor.fetchone()[0]
    found = [_oldest(*oldest)] if oldest else [ok("oldest_transaction", "No other transaction is open")]
    if waiting:
        found.append(
            warning(
                "lock_waits",
                f"{waiting} sessions have waited for a lock for more than {LOCK_WAIT_S_WARNING} s",
                remedy="Find who holds it: SELECT pg_blocking_pids(pid), pid, query FROM pg_stat_activity",
            )
        )
    return found


def _oldest(age_s: float, pid: int, name: str, state: str) -> Finding:
    level = by_limits(age_s, warning_at=TRANSACTION_S_WARNING, fault_at=TRANSACTION_S_FAULT)
    return judged(
        level,
        "oldest_transaction",
        f"The oldest transaction has been open for {age_s:.0f} s ({name or 'unnamed'}, process {pid}, {state})",
        remedy=f"Find out what it waits for; SELECT pg_terminate_backend({pid}) ends it and rolls it back",
    )


def disk_ask(*, now: datetime) -> list[Finding]:
    """The size of the database, and the room on its disk where this process can see that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = cursor.fetchone()[0]
    usage = _disk_of_database()
    if usage is None:
        return [ok("disk", f"The database has {size / _GIB:.2f} GiB; its disk is not visible from here")]
    share = 1 - usage.free / usage.total
    return [
        judged(
            by_limits(share, warning_at=DISK_SHARE_WARNING, fault_at=DISK_SHARE_FAULT),
            "disk",
            f"The database has {size / _GIB:.2f} GiB; its disk is {share:.0%} full, {usage.free / _GIB:.1f} GiB left",
            remedy="Make room before the disk is full: a full disk stops every sale and every order",
            runbook="database-down",
        )
    ]


def _disk_of_database() -> shutil._ntuple_diskusage | None:
    """None when the server is elsewhere, or hides its directory from this role or this process."""
    if not str(connection.settings_dict["HOST"]).startswith(("/", "localhost", "127.", "::1")):
        return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            return shutil.disk_usage(Path(cursor.fetchone()[0]))
    except (DatabaseError, OSError):
        return None
