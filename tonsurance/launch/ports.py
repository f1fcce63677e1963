"""Says which TCP ports are free on loopback."""

from __future__ import annotations

import socket

from tonsurance.launch.failure import LaunchFailed

LOOPBACK = "127.0.0.1"
PORTS_TRIED_MAX = 100
PORT_LAST = 65535


def port_is_free(port: int) -> bool:
    """Whether `port` can be listened on; 0, any port, always can."""
    return _bound(port) is not None


def port_free() -> int:
    """A port nobody listens on. Raises LaunchFailed."""
    found = _bound(0)
    if found is None:
        raise LaunchFailed("this machine has no free port on loopback")
    return found


def port_chosen(*, asked: int, first: int) -> int:
    """The port asked for, or when that is 0 the first free one from `first` on. Raises LaunchFailed."""
    if asked:
        if not port_is_free(asked):
            raise LaunchFailed(f"port {asked} is in use; name another with --port")
        return asked
    for port in range(first, min(first + PORTS_TRIED_MAX, PORT_LAST + 1)):
        if port_is_free(port):
            return port
    raise LaunchFailed(f"no free port from {first} to {first + PORTS_TRIED_MAX - 1}; name one with --port")


def _bound(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind((LOOPBACK, port))
        except OSError:
            return None
        return int(line.getsockname()[1])
