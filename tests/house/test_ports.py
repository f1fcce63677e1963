"""Ports are free ones, or the one a person asked for."""

from __future__ import annotations

import socket

import pytest

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.ports import LOOPBACK, port_chosen, port_free, port_is_free


@pytest.fixture
def taken():
    with socket.socket() as line:
        line.bind((LOOPBACK, 0))
        line.listen()
        yield line.getsockname()[1]


def test_the_first_free_one_is_taken(taken):
    assert not port_is_free(taken)
    chosen = port_chosen(asked=0, first=taken)
    assert taken < chosen < taken + 100


def test_a_port_asked_for_is_used_or_refused(taken):
    free = port_free()
    assert port_chosen(asked=free, first=1) == free
    with pytest.raises(LaunchFailed, match=f"port {taken} is in use; name another with --port"):
        port_chosen(asked=taken, first=1)
