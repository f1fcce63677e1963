"""Says where the launcher keeps its files.

A unix socket's address holds at most 107 bytes, so sockets move to a short private directory when
the checkout lies too deep.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
VAR = ROOT / "var"

SOCKET_ADDRESS_BYTES_MAX = 107
SOCKET_NAME_LONGEST = ".s.PGSQL.5432"
URL_SAFE = re.compile(rb"[A-Za-z0-9/._-]+")


class UnsafeDirectory(Exception):
    """A directory that ought to be ours alone belongs to, or is open to, somebody else."""


def socket_directory(preferred: Path, *, server_uid: int | None = None) -> Path:
    """A 0700 directory for unix sockets: `preferred`, or a short one when that is too long or too odd.

    The short one is named by a hash of `preferred`, so two checkouts never share it and one checkout
    finds its own again. `server_uid` is the user that the server runs as, when that is not we.
    """
    if _fits(preferred):
        return directory_private(preferred, server_uid=server_uid)
    digest = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    name = f"tonsurance-{os.getuid()}-{digest}"
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):
        if _fits(base / name):
            return directory_private(base / name, server_uid=server_uid)
    raise UnsafeDirectory(f"no temporary directory is short enough for a socket; set TMPDIR: {preferred}")


def directory_private(path: Path, *, server_uid: int | None = None) -> Path:
    """Make `path` with mode 0700, or check that it is ours (or the server's) and close it.

    Raises UnsafeDirectory.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), server_uid):
        raise UnsafeDirectory(f"{path} exists and is not a directory of this user; remove it")
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def _fits(directory: Path) -> bool:
    """Whether a socket's address in it is short enough, and needs no quoting inside a URL."""
    address = os.fsencode(directory / SOCKET_NAME_LONGEST)
    return len(address) <= SOCKET_ADDRESS_BYTES_MAX and URL_SAFE.fullmatch(address) is not None
