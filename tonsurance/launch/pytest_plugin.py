"""Gives a pytest run its own PostgreSQL and Valkey before Django's settings are read.

It is named in pytest's options, so `python -m pytest` and `manage.py test` are the same run. Workers of
pytest-xdist inherit the addresses, start nothing, and have a numbered Valkey database each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Keeper
from tonsurance.launch.servers import POSTGRES_CHOICES, Servers, servers_choose

WORKERS_MAX = 31

SERVERS = pytest.StashKey[Servers]()
KEEPER = pytest.StashKey[Keeper]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--postgres`."""
    parser.getgroup("tonsurance").addoption(
        "--postgres",
        choices=POSTGRES_CHOICES,
        default="embedded",
        help="the PostgreSQL to start when DATABASE_URL is not set: the wheel's 18, or the system's oldest from 15 up",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the servers around everything else that loads early: pytest-django reads the settings here."""
    known = early_config.known_args_namespace
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        number = int(worker.removeprefix("gw")) % WORKERS_MAX + 1
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("?db=0", f"?db={number}")
    elif not known.help and not known.version:
        _servers_for(early_config, known.postgres)
    try:
        return (yield)
    except BaseException:
        _stop(early_config)
        raise


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and delete their data; after Ctrl-C as well."""
    _stop(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which servers the run uses."""
    servers = config.stash.get(SERVERS, None)
    return f"servers: {servers.words()}" if servers else "servers: inherited"


def _servers_for(config: pytest.Config, postgres: str) -> None:
    keeper = Keeper()
    config.stash[KEEPER] = keeper
    home = Path(tempfile.mkdtemp(prefix="tonsurance-test-"))
    home.chmod(0o711)
    keeper.remove_at_end(home)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would read them and go elsewhere
    try:
        servers = servers_choose(keeper, home=home, environ=os.environ, durable=False, postgres=postgres)
        servers.start(keeper)
    except LaunchFailed as failure:
        keeper.stop()
        raise pytest.UsageError(str(failure)) from failure
    config.stash[SERVERS] = servers
    os.environ.update(servers.environment())
    # The live server of a test speaks plain HTTP; what production demands is tested by `check --deploy`.
    os.environ.setdefault("DJANGO_INSECURE_HTTP", "true")
    # A connection kept by the live server's threads would outlive the test database.
    os.environ.setdefault("DATABASE_CONN_MAX_AGE", "0")


def _stop(config: pytest.Config) -> None:
    keeper = config.stash.get(KEEPER, None)
    if keeper is not None:
        keeper.stop()
