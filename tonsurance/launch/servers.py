"""Says which PostgreSQL and Valkey a launch uses: the given ones, else our own from the wheels or the system.

Whoever sets DATABASE_URL or REDIS_URL has chosen; nothing is started for that one.
"""

from __future__ import annotations

import shutil
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
    """The addresses a launch uses; `postgres` and `valkey` are the servers to start, None for given ones."""

    database_url: str
    redis_url: str
    postgres: PostgresCluster | None
    valkey: ValkeyServer | None

    def start(self, keeper: Keeper) -> None:
        """Start what is ours, both at once, and wait until they answer. Raises LaunchFailed."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            starts = [
                pool.submit(server.start, keeper, stage=DATABASE_STAGE)
                for server in (self.postgres, self.valkey)
                if server is not None
            ]
            for start in starts:
                start.result()

    def wipe(self) -> None:
        """Delete the data of what is ours; a server that a killed launch left running on it is stopped first."""
        for server in (self.postgres, self.valkey):
            if server is not None:
                server.leftovers_stop()
                shutil.rmtree(server.data, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """The two variables that settings read."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}

    def words(self) -> str:
        """What stands behind the addresses, for people."""
        postgres = (
            f"PostgreSQL {self.postgres.programs.major}" if self.postgres else "PostgreSQL of DATABASE_URL"
        )
        return f"{postgres}, {'Valkey' if self.valkey else 'Valkey of REDIS_URL'}"


def servers_choose(
    keeper: Keeper, *, home: Path, environ: Mapping[str, str], durable: bool, postgres: str = "embedded"
) -> Servers:
    """Settle the addresses, and for what `environ` does not name, the servers to start with data in `home`.

    Raises LaunchFailed when there is no program to start.
    """
    cluster = (
        None if environ.get("DATABASE_URL") else _cluster(keeper, home, durable=durable, choice=postgres)
    )
    valkey = None if environ.get("REDIS_URL") else _valkey(keeper, home, durable=durable)
    return Servers(
        database_url=cluster.url(DATABASE) if cluster else environ["DATABASE_URL"],
        redis_url=valkey.url() if valkey else environ["REDIS_URL"],
        postgres=cluster,
        valkey=valkey,
    )


def _cluster(keeper: Keeper, home: Path, *, durable: bool, choice: str) -> PostgresCluster:
    run_as = run_as_for_servers()
    return PostgresCluster(
        programs=postgres_programs(choice, run_as=run_as),
        run_as=run_as,
        data=run_as.reachable(home / "pg"),
        sockets=run_as.own(_sockets(keeper, run_as.reachable(home / "pg-socket"), server_uid=run_as.uid)),
        log=home / "logs" / "postgresql.log",
        durable=durable,
    )


def _valkey(keeper: Keeper, home: Path, *, durable: bool) -> ValkeyServer:
    return ValkeyServer(
        program=valkey_program(),
        data=home / "valkey",
        sockets=_sockets(keeper, home / "vk-socket"),
        log=home / "logs" / "valkey.log",
        durable=durable,
    )


def _sockets(keeper: Keeper, preferred: Path, *, server_uid: int | None = None) -> Path:
    """A directory for sockets; one that had to lie outside `preferred` goes when the launch ends."""
    sockets = socket_directory(preferred, server_uid=server_uid)
    if sockets != preferred:
        keeper.remove_at_end(sockets)
    return sockets
