"""Says what `manage.py bench` does before Django: PostgreSQL and Valkey of its own, as `manage.py test` starts them.

They keep what they write as those of a production machine do (fsync on), so that a commit costs what it costs. Servers
named by DATABASE_URL and REDIS_URL are never touched: a bench is heavy work, and they may be somebody's book.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Keeper
from tonsurance.launch.paths import ROOT
from tonsurance.launch.servers import servers_choose

# Whatever the shell says: a bench sends orders to a practice exchange at most.
FIXED = {
    "TRADING_ENVIRONMENT": "PRACTICE",
    "LIVE_TRADING_ALLOWED": "false",
    "DJANGO_DEBUG": "false",
    "DJANGO_INSECURE_HTTP": "true",
    "DJANGO_SETTINGS_MODULE": "tonsurance.settings",
    "LOG_LEVEL": "WARNING",
}


def run_bench(argv: list[str]) -> None:
    """Run `manage.py bench ...` (all of `sys.argv`) on servers that end with it."""
    if not (ROOT / "tests" / "benches").is_dir():
        print(
            "manage.py bench: the benches are not part of this install; they lie in tests/benches of the source "
            "checkout and need requirements-dev.txt",
            file=sys.stderr,
        )
        sys.exit(2)
    os.environ.update(FIXED)
    if not _needs_servers(argv[2:]):
        _execute(argv)
        return
    keeper = Keeper()
    try:
        home = Path(tempfile.mkdtemp(prefix="tonsurance-bench-"))
        home.chmod(0o711)
        keeper.remove_at_end(home)
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]  # libpq would read them and go elsewhere
        servers = servers_choose(keeper, home=home, environ={}, durable=True)
        servers.start(keeper)
        os.environ.update(servers.environment())
        _execute(argv)
    except LaunchFailed as failure:
        sys.exit(f"manage.py bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        keeper.stop()


def _needs_servers(arguments: list[str]) -> bool:
    """A list, a table and a help text need none, nor does a command without a name."""
    named = any(not word.startswith("-") for word in arguments)
    return named and not {"-h", "--help", "--list", "--table"} & set(arguments)


def _execute(argv: list[str]) -> None:
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)
