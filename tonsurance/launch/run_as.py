"""Says as whom a database server runs: PostgreSQL refuses to run as root.

As root it runs in a user namespace where it believes to be user 1000; where namespaces are refused
(many containers) it runs as `nobody`, from folders that `nobody` can reach.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonsurance.launch.failure import LaunchFailed

NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
PROBE_S_MAX = 10
UNPRIVILEGED = "nobody"
OPEN_GROUND = Path("/var/tmp")


@dataclass(frozen=True)
class RunAs:
    """How a server is started: words before its command, or another user, or neither."""

    prefix: tuple[str, ...] = ()
    user: str = ""

    @property
    def uid(self) -> int | None:
        """The other user's number; None when the server runs as we do."""
        return pwd.getpwnam(self.user).pw_uid if self.user else None

    def popen_arguments(self) -> dict[str, Any]:
        """The extra arguments of `subprocess.Popen`."""
        if not self.user:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}

    def own(self, directory: Path) -> Path:
        """Make `directory` (0700) for the server to write in, and give it to the server's user."""
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(directory, entry.pw_uid, entry.pw_gid)
        return directory

    def reachable(self, directory: Path) -> Path:
        """`directory`, or one on open ground standing for it when the server's user cannot walk there."""
        if not self.user or open_to_all(directory.parent):
            return directory
        digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
        place = OPEN_GROUND / f"tonsurance-{digest}"
        place.mkdir(mode=0o711, exist_ok=True)
        if place.lstat().st_uid != os.geteuid() or not stat.S_ISDIR(place.lstat().st_mode):
            raise LaunchFailed(f"{place} belongs to somebody else; remove it")
        place.chmod(0o711)
        return place / directory.name

    def readable(self, packages: Sequence[Path]) -> Path:
        """The folder that holds `packages`, or a copy of them on open ground that the user can read."""
        home = packages[0].parent
        if not self.user or open_to_all(home):
            return home
        made_at = packages[0].stat().st_mtime_ns  # another version of the package is another copy
        place = self.reachable(home / f"server-{made_at}")
        for package in packages:
            if not (place / package.name).exists():
                unfinished = place / f"{package.name}.{os.getpid()}"
                shutil.copytree(package, unfinished, symlinks=True)
                unfinished.rename(place / package.name)
        for folder in (place, *place.rglob("*")):
            if not folder.is_symlink():
                folder.chmod(folder.stat().st_mode | (0o555 if folder.is_dir() else 0o444))
        return place


def open_to_all(directory: Path) -> bool:
    """Whether every user may walk to `directory`; folders that do not exist yet will be made open."""
    for folder in (directory, *directory.parents):
        if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
            return False
    return True


@functools.cache
def run_as_for_servers() -> RunAs:
    """The way that works on this machine for this user. Raises LaunchFailed when root has none."""
    if os.geteuid() != 0:
        return RunAs()
    if namespace_works():
        return RunAs(prefix=NAMESPACE)
    try:
        pwd.getpwnam(UNPRIVILEGED)
        subprocess.run(
            ["true"], check=True, timeout=PROBE_S_MAX, **RunAs(user=UNPRIVILEGED).popen_arguments()
        )
    except (KeyError, OSError, subprocess.SubprocessError):
        raise LaunchFailed(
            "PostgreSQL does not run as root, and neither a user namespace nor the user `nobody` can be used here: "
            "run this as an ordinary user, or set DATABASE_URL"
        ) from None
    return RunAs(user=UNPRIVILEGED)


def namespace_works() -> bool:
    """Whether `unshare` may make a user namespace here."""
    try:
        done = subprocess.run([*NAMESPACE, "true"], capture_output=True, timeout=PROBE_S_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
