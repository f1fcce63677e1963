"""Says which TCP ports are free on loopback."""

from __future__ import annotations

import socket

from tonsurance.launch.failure import LaunchFailed

LOOPBACK = "127.0.0.1"
PORTS_TRIED_MAX = 100


def port_free(first: int = 0) -> int:
    """A free port: any when `first` is 0, else the first free one from `first` on. Raises LaunchFailed."""
    candidates = [0] if first == 0 else range(first, min(first + PORTS_TRIED_MAX, 65536))
    for port in candidates:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                line.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(line.getsockname()[1])
    raise LaunchFailed(f"no free port between {first} and {first + PORTS_TRIED_MAX}; name one with --port")


def port_is_free(port: int) -> bool:
    """Whether nobody listens on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
