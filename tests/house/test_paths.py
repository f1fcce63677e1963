"""Sockets lie where their address fits, in a directory that is ours alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tonsurance.launch.paths import (
    SOCKET_ADDRESS_BYTES_MAX,
    UnsafeDirectory,
    directory_private,
    socket_directory,
)


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def address_bytes(directory: Path) -> int:
    return len(os.fsencode(directory / ".s.PGSQL.5432"))


def test_a_short_directory_is_taken_as_it_is():
    preferred = Path(f"/tmp/tonsurance-short-{os.getpid()}")
    try:
        assert socket_directory(preferred) == preferred
        assert mode_of(preferred) == 0o700
    finally:
        preferred.rmdir()


def test_the_longest_address_that_fits_is_107_bytes():
    room = SOCKET_ADDRESS_BYTES_MAX - len("/.s.PGSQL.5432")
    stem = f"/tmp/tonsurance-{os.getpid()}-"
    fits = Path(stem + "x" * (room - len(stem)))
    too_long = Path(f"{fits}x")
    found, moved = socket_directory(fits), socket_directory(too_long)
    try:
        assert found == fits
        assert address_bytes(found) == 107
        assert moved != too_long
        assert address_bytes(moved) <= 107
        assert not too_long.exists()
    finally:
        found.rmdir()
        moved.rmdir()


def test_a_deep_checkout_gets_the_same_short_directory_every_time_and_shares_it_with_nobody(tmp_path):
    deep = tmp_path / ("d" * 100)
    first, again, other = (
        socket_directory(deep / "a"),
        socket_directory(deep / "a"),
        socket_directory(deep / "b"),
    )
    try:
        assert first == again
        assert first != other
        assert mode_of(first) == 0o700
    finally:
        first.rmdir()
        other.rmdir()


@pytest.mark.parametrize("odd", ["with space", "plus+sign", "per%20cent", "naïve"])
def test_a_path_that_a_url_would_change_is_not_used(odd):
    directory = socket_directory(Path("/tmp") / f"{odd}-{os.getpid()}")
    try:
        assert odd not in str(directory)
    finally:
        directory.rmdir()


def test_an_open_directory_is_closed(tmp_path):
    (tmp_path / "open").mkdir(mode=0o777)
    assert mode_of(directory_private(tmp_path / "open")) == 0o700


def test_a_link_laid_in_our_way_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    with pytest.raises(UnsafeDirectory, match="is not a directory of this user"):
        directory_private(tmp_path / "ours")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path):
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(UnsafeDirectory, match="is not a directory of this user"):
        directory_private(tmp_path / "theirs")
