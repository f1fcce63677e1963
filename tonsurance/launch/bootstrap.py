"""Says whether this interpreter may run the project, and if not, makes `.venv` and goes on inside it.

A file inside `.venv` names the lock it was made from and that lock's SHA-256. Only a `.venv` holding
that file is ours to change; any other environment belongs to its user and is never touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tonsurance.launch.paths import ROOT, VAR, VENV

RUNTIME_LOCK = "requirements.txt"
DEVELOPMENT_LOCK = "requirements-dev.txt"
INSTALLER_LOCK = "requirements-installer.txt"

STAMP = VENV / ".tonsurance-lock"
UNFINISHED = "unfinished"

PYTHON_NEXT = (3, 15)
WAIT_FOR_OTHER_S_MAX = 900
INSTALL_S_MAX = 1800


class BootstrapFailed(Exception):
    """The packages cannot be had; the message is the one line a person needs."""


def packages_ensure(argv: list[str]) -> None:
    """Return when this interpreter may go on; otherwise replace this process by `.venv`'s Python.

    `argv` is `sys.argv`: `test` and `bench` need the development lock, everything else the runtime lock.
    Exits with status 1 and one line on stderr when that cannot be done.
    """
    needs_tests = argv[1:2] in (["test"], ["bench"])
    _bytecode_keep()
    try:
        if not _must_switch(needs_tests):
            return
        _own_venv_ensure(needs_tests)
    except BootstrapFailed as failure:
        sys.exit(f"manage.py: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    python = str(VENV / "bin" / "python")
    sys.stdout.flush()
    os.execv(python, [python, *sys.orig_argv[1:]])


def _bytecode_keep() -> None:
    """Keep compiled modules in `var` for people who want none beside the sources.

    A demo starts a dozen Pythons; compiling every module in each of them would take longer than the rest.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", "") and not os.environ.get("TONSURANCE_NO_BOOTSTRAP"):
        os.environ["PYTHONPYCACHEPREFIX"] = str(VAR / "pycache")
        sys.pycache_prefix = str(VAR / "pycache")
        sys.dont_write_bytecode = False


def _must_switch(needs_tests: bool) -> bool:
    """Whether another interpreter has to take over. Raises BootstrapFailed where that is not ours to do."""
    missing = [name for name in _entry_packages(needs_tests) if importlib.util.find_spec(name) is None]
    if os.environ.get("TONSURANCE_NO_BOOTSTRAP"):
        return False
    if Path(sys.prefix).resolve() == VENV.resolve():
        if STAMP.exists():
            return not stamp_is_current(needs_tests)
    elif sys.prefix == sys.base_prefix and _django_is_strange():
        return True
    if not missing:
        return False
    if sys.prefix != sys.base_prefix:
        lock = DEVELOPMENT_LOCK if needs_tests else RUNTIME_LOCK
        raise BootstrapFailed(
            f"{missing[0]} is not installed in the virtual environment {sys.prefix}: "
            f"run `pip install -r {lock}` in it, or leave it and run this again"
        )
    return True


def _entry_packages(needs_tests: bool) -> tuple[str, ...]:
    return ("django", "pytest", "pytest_django") if needs_tests else ("django",)


def _django_is_strange() -> bool:
    """Whether the system's Django is missing or of another release line than the lock's."""
    try:
        found = importlib.metadata.version("django")
    except importlib.metadata.PackageNotFoundError:
        return True
    locked = re.search(r"^django==(\S+)", (ROOT / RUNTIME_LOCK).read_text(), re.MULTILINE)
    return locked is None or found.split(".")[:2] != locked[1].split(".")[:2]


def stamp_of(lock: str) -> str:
    """What the stamp says when `.venv` holds exactly `lock`: its name and the SHA-256 of its bytes."""
    return f"{lock} {hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()}"


def stamp_is_current(needs_tests: bool) -> bool:
    """Whether our `.venv` was made from the present bytes of a lock that is enough for the command."""
    if not STAMP.exists() or not (VENV / "bin" / "python").exists():
        return False
    made_from = STAMP.read_text().strip()
    enough = (DEVELOPMENT_LOCK,) if needs_tests else (DEVELOPMENT_LOCK, RUNTIME_LOCK)
    return any(made_from == stamp_of(lock) for lock in enough)


def _own_venv_ensure(needs_tests: bool) -> None:
    if VENV.exists() and not STAMP.exists():
        _foreign_venv_check(needs_tests)
        return
    if stamp_is_current(needs_tests):
        return
    with _one_at_a_time():
        if not stamp_is_current(needs_tests):
            _venv_make(_lock_to_install(needs_tests))


def _foreign_venv_check(needs_tests: bool) -> None:
    """A `.venv` a person made is used as it is, when it has what the command needs."""
    for name in _entry_packages(needs_tests):
        if not list(VENV.glob(f"lib/python3.*/site-packages/{name}/__init__.py")):
            lock = DEVELOPMENT_LOCK if needs_tests else RUNTIME_LOCK
            raise BootstrapFailed(
                f".venv was not made by this program and has no {name}: "
                f"run `.venv/bin/python -m pip install -r {lock}`, or remove .venv and run this again"
            )


def _lock_to_install(needs_tests: bool) -> str:
    """A `.venv` that once held the development tools keeps them."""
    had_tools = STAMP.exists() and STAMP.read_text().startswith(DEVELOPMENT_LOCK)
    return DEVELOPMENT_LOCK if needs_tests or had_tools else RUNTIME_LOCK


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one process at a time change `.venv`; the others wait, at most WAIT_FOR_OTHER_S_MAX seconds."""
    VAR.mkdir(exist_ok=True)
    deadline = time.monotonic() + WAIT_FOR_OTHER_S_MAX
    told = False
    with (VAR / "bootstrap.lock").open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BootstrapFailed(
                        "another process has been installing packages for too long"
                    ) from None
            if not told:
                _say("another process is installing the packages; waiting for it")
                told = True
            time.sleep(0.2)
        yield


def _venv_make(lock: str) -> None:
    if sys.version_info >= PYTHON_NEXT:
        version = ".".join(map(str, sys.version_info[:2]))
        raise BootstrapFailed(f"Python 3.11 to 3.14 is needed; this is Python {version}")
    began = time.monotonic()
    python = VENV / "bin" / "python"
    if not python.exists():
        if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
            raise BootstrapFailed(
                "Python's venv module is missing: run `apt install python3-venv` and try again"
            )
        _say("making .venv")
        VENV.mkdir(exist_ok=True)
        STAMP.write_text(UNFINISHED)
        _run([sys.executable, "-m", "venv", str(VENV)], "making .venv")
    STAMP.write_text(f"{lock} {UNFINISHED}")
    if not (VENV / "bin" / "uv").exists():
        _say("getting the installer")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(ROOT / INSTALLER_LOCK)], "installing uv")
    count = len(re.findall(r"^[a-z0-9]", (ROOT / lock).read_text(), re.MULTILINE))
    _say(f"installing {count} packages from {lock}")
    sync = [str(VENV / "bin" / "uv"), "pip", "sync", "--python", str(python), "--require-hashes"]
    _run([*sync, str(ROOT / lock)], f"installing {lock}")
    for site_packages in VENV.glob("lib/python3.*/site-packages"):
        (site_packages / "tonsurance-checkout.pth").write_text(f"{ROOT}\n")
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(stamp_of(lock))
    fresh.replace(STAMP)
    _say(f"packages ready in {time.monotonic() - began:.0f} s")


def _run(command: list[str], doing: str) -> None:
    """Run one step; its own progress is shown on a terminal, and its last words when it fails."""
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ, "PIP_USER": "0"}
    if not os.access(os.environ.get("HOME", ""), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(VAR / "uv-cache"))
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=None if sys.stderr.isatty() else subprocess.PIPE,
            text=True,
            timeout=INSTALL_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BootstrapFailed(f"{doing} took more than {INSTALL_S_MAX} s and was given up") from None
    if done.returncode == 0:
        return
    said = "\n".join(f"{done.stdout or ''}{done.stderr or ''}".strip().splitlines()[-15:])
    raise BootstrapFailed(
        f"{doing} failed (exit {done.returncode}). Is a package index reachable from here?\n{said}".rstrip()
    )


def _say(words: str) -> None:
    print(f"manage.py: {words}", file=sys.stderr, flush=True)
