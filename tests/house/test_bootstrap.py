"""When manage.py makes an environment, when it leaves one alone, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tonsurance.launch import bootstrap
from tonsurance.launch.paths import ROOT

BARE = ["-S", "-E"]  # this interpreter without any installed package


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but the launcher, the locks and no `.venv`."""
    shutil.copy(ROOT / "manage.py", tmp_path)
    (tmp_path / "tonsurance").mkdir()
    shutil.copy(ROOT / "tonsurance" / "__init__.py", tmp_path / "tonsurance")
    shutil.copytree(ROOT / "tonsurance" / "launch", tmp_path / "tonsurance" / "launch")
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, tmp_path)
    return tmp_path


def manage(
    checkout: Path, *arguments: str, python: str = sys.executable, **environment: str
) -> subprocess.CompletedProcess[str]:
    # -S drops the packages of the environment this suite runs in; the base interpreter has none of ours.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL", "TONSURANCE"))
    }
    return subprocess.run(
        [python, *BARE, "manage.py", *arguments],
        cwd=checkout,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def base_python() -> str:
    """The interpreter that stands behind the environment this suite runs in."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def own_venv(checkout: Path, *, stamp: str | None) -> None:
    """A `.venv` whose python tells what it was called with."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    python = checkout / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "went on as: $@"\n')
    python.chmod(0o755)
    if stamp is not None:
        (checkout / ".venv" / ".tonsurance-lock").write_text(stamp)


def stamp_for(checkout: Path, lock: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    return bootstrap.stamp_of(lock)


def test_a_venv_made_from_the_present_lock_is_used_as_it_is(checkout, monkeypatch):
    own_venv(checkout, stamp=stamp_for(checkout, "requirements.txt", monkeypatch))
    done = manage(checkout, "check", "--deploy", python=base_python())
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"went on as: {' '.join(BARE)} manage.py check --deploy\n"
    assert done.stderr == ""


def test_the_development_lock_is_enough_for_every_command(checkout, monkeypatch):
    own_venv(checkout, stamp=stamp_for(checkout, "requirements-dev.txt", monkeypatch))
    for command in ("demo", "test", "bench", "migrate"):
        assert manage(checkout, command, python=base_python()).stdout.endswith(f"manage.py {command}\n")


def test_tests_need_more_than_the_runtime_lock(checkout, monkeypatch):
    stamp = stamp_for(checkout, "requirements.txt", monkeypatch)
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", checkout / ".venv" / ".tonsurance-lock")
    own_venv(checkout, stamp=stamp)
    assert bootstrap.stamp_is_current(needs_tests=False)
    assert not bootstrap.stamp_is_current(needs_tests=True)


def test_one_changed_byte_of_the_lock_makes_the_stamp_old(checkout, monkeypatch):
    stamp = stamp_for(checkout, "requirements.txt", monkeypatch)
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", checkout / ".venv" / ".tonsurance-lock")
    own_venv(checkout, stamp=stamp)
    with (checkout / "requirements.txt").open("a") as lock:
        lock.write("\n")
    assert not bootstrap.stamp_is_current(needs_tests=False)


def test_an_install_that_was_cut_off_is_not_taken_for_done(checkout, monkeypatch):
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", checkout / ".venv" / ".tonsurance-lock")
    own_venv(checkout, stamp="requirements.txt unfinished")
    assert not bootstrap.stamp_is_current(needs_tests=False)


def test_a_venv_a_person_made_is_never_changed(checkout):
    own_venv(checkout, stamp=None)
    done = manage(checkout, "demo", python=base_python())
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert ".venv was not made by this program and has no django" in done.stderr
    assert sorted(path.name for path in (checkout / ".venv").iterdir()) == ["bin"]


def test_a_venv_a_person_made_is_used_when_it_has_django(checkout):
    own_venv(checkout, stamp=None)
    package = checkout / ".venv" / "lib" / "python3.11" / "site-packages" / "django"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert manage(checkout, "migrate", python=base_python()).stdout.endswith("manage.py migrate\n")


def test_inside_another_virtual_environment_nothing_is_made(checkout, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    subprocess.run([base_python(), "-m", "venv", "--without-pip", str(other)], check=True)
    done = subprocess.run(
        [str(other / "bin" / "python"), "manage.py", "demo"],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"django is not installed in the virtual environment {other}" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_container_is_told_by_the_ordinary_import_error(checkout):
    done = manage(checkout, "migrate", python=base_python(), TONSURANCE_NO_BOOTSTRAP="1")
    assert done.returncode == 1
    assert "No module named 'django'" in done.stderr
    assert not (checkout / ".venv").exists()


def test_without_pythons_venv_module_one_line_says_what_to_install(checkout):
    program = (
        "import runpy, sys; sys.path.insert(0, '.'); sys.modules['ensurepip'] = None; "
        "sys.argv = ['manage.py', 'demo']; runpy.run_path('manage.py', run_name='__main__')"
    )
    done = subprocess.run(
        [base_python(), *BARE, "-c", program],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "manage.py: Python's venv module is missing: run `apt install python3-venv` and try again\n"
    )


def test_an_unreachable_package_index_is_said_in_words(checkout):
    nowhere = "http://127.0.0.1:9/simple"
    done = manage(
        checkout,
        "demo",
        python=base_python(),
        PIP_INDEX_URL=nowhere,
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
        PIP_NO_CACHE_DIR="1",
    )
    assert done.returncode == 1
    assert "manage.py: installing uv failed (exit 1). Is a package index reachable from here?" in done.stderr
    assert (checkout / ".venv" / ".tonsurance-lock").read_text() == "requirements.txt unfinished"


def test_the_interpreter_of_this_suite_needs_no_other():
    done = subprocess.run(
        [sys.executable, "manage.py", "version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5.2.")
