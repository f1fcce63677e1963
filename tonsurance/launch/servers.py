"""Says which PostgreSQL and Valkey a launch uses: the given ones, else our own from the wheels or the system.

Whoever sets DATABASE_URL or REDIS_URL has chosen; nothing is started for that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tonsurance.launch.binaries import postgres_programs, valkey_program
from tonsurance.launch.keeper import Keeper
from tonsurance.launch.paths import socket_directory
from tonsurance.launch.postgres import PostgresCluster
from tonsurance.launch.run_as import run_as_for_servers
from tonsurance.launch.valkey import ValkeyServer

DATABASE_STAGE = 0
DATABASE = "tonsurance"
POSTGRES_CHOICES = ("embedded", "system")


@dataclass(frozen=True)
class Servers:
    """The addresses to use, and what stands behind them in words for people."""

    database_url: str
    redis_url: str
    postgres_words: str
    valkey_words: str

    def environment(self) -> dict[str, str]:
        """The two variables that settings read."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def servers_start(
    keeper: Keeper, *, home: Path, environ: Mapping[str, str], durable: bool, postgres: str = "embedded"
) -> Servers:
    """Start what `environ` does not name, its data under `home`, both at once. Raises LaunchFailed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        database = pool.submit(_postgres_start, keeper, home, environ, durable, postgres)
        cache = pool.submit(_valkey_start, keeper, home, environ, durable)
        database_url, postgres_words = database.result()
        redis_url, valkey_words = cache.result()
    return Servers(database_url, redis_url, postgres_words, valkey_words)


def _postgres_start(
    keeper: Keeper, home: Path, environ: Mapping[str, str], durable: bool, choice: str
) -> tuple[str, str]:
    if environ.get("DATABASE_URL"):
        return environ["DATABASE_URL"], "PostgreSQL of DATABASE_URL"
    run_as = run_as_for_servers()
    programs = postgres_programs(choice, run_as=run_as)
    sockets = _sockets(keeper, run_as.reachable(home / "pg-socket"))
    cluster = PostgresCluster(
        programs=programs,
        run_as=run_as,
        data=run_as.reachable(home / "pg"),
        sockets=run_as.own(sockets),
        log=home / "logs" / "postgresql.log",
        durable=durable,
    )
    cluster.start(keeper, stage=DATABASE_STAGE)
    return cluster.url(DATABASE), f"PostgreSQL {programs.major}"


def _valkey_start(keeper: Keeper, home: Path, environ: Mapping[str, str], durable: bool) -> tuple[str, str]:
    if environ.get("REDIS_URL"):
        return environ["REDIS_URL"], "Valkey of REDIS_URL"
    server = ValkeyServer(
        program=valkey_program(),
        data=home / "valkey",
        sockets=_sockets(keeper, home / "vk-socket"),
        log=home / "logs" / "valkey.log",
        durable=durable,
    )
    server.start(keeper, stage=DATABASE_STAGE)
    return server.url(), "Valkey"


def _sockets(keeper: Keeper, preferred: Path) -> Path:
    """A directory for sockets; one that had to lie outside `preferred` goes when the launch ends."""
    sockets = socket_directory(preferred)
    if sockets != preferred:
        keeper.remove_at_end(sockets)
    return sockets
