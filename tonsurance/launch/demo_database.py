"""Says whether a database may hold the demo's book, and remembers in it what the demo has put there.

The remark is kept as the database's comment: it can be neither ahead of nor behind the data it speaks of.
A database with tables and without that remark is somebody's own and is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tonsurance.launch.failure import LaunchFailed

WORD = "tonsurance demo"
CONNECT_S_MAX = 10


@dataclass(frozen=True)
class Remark:
    """How far the demo has come in this database: the size of its imported book, and whether it was hedged."""

    policies: int = 0
    is_hedged: bool = False


def database_ensure(url: str, *, ours: bool) -> Remark:
    """Make the database of `url` when the server is `ours`; return how far the demo has come in it.

    Raises LaunchFailed when it cannot be reached, or holds tables that no demo made.
    """
    if ours:
        _create(url)
    with _connected(url) as connection:
        remark = _remark(connection)
        if remark is None and _has_tables(connection):
            raise LaunchFailed(
                "DATABASE_URL names a database that has tables and was not made by a demo; "
                "the demo writes an invented book, so give it an empty database or unset DATABASE_URL"
            )
        if remark is None:
            remark = Remark()
            _write_remark(connection, remark)
        return remark


def remark_write(url: str, remark: Remark) -> None:
    """Remember how far the demo has come."""
    with _connected(url) as connection:
        _write_remark(connection, remark)


def _connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(_libpq(url), autocommit=True, connect_timeout=CONNECT_S_MAX)
    except psycopg.OperationalError as failure:
        raise LaunchFailed(f"the database does not answer: {failure}") from failure


def _create(url: str) -> None:
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    with _connected(urlunsplit(parts._replace(path=f"{folder}/postgres"))) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _libpq(url: str) -> str:
    """Our address of a socket directory in libpq's spelling; any other address as it is."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    if parts.hostname or not folder:
        return url
    return make_conninfo(host=folder[1:], user=parts.username, dbname=name)


def _has_tables(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    found = connection.execute("select exists (select from pg_tables where schemaname = 'public')").fetchone()
    return bool(found and found[0])


def _remark(connection: psycopg.Connection[tuple[object, ...]]) -> Remark | None:
    row = connection.execute(
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    ).fetchone()
    words = str(row[0] or "") if row else ""
    if not words.startswith(WORD):
        return None
    return Remark(**json.loads(words.removeprefix(WORD)))


def _write_remark(connection: psycopg.Connection[tuple[object, ...]], remark: Remark) -> None:
    name = connection.info.dbname
    connection.execute(
        sql.SQL("comment on database {} is {}").format(
            sql.Identifier(name), sql.Literal(f"{WORD} {json.dumps(asdict(remark))}")
        )
    )
