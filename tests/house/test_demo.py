"""The demo from nothing to the end, as a person starts it; nothing outlives it, and it starts again after a kill."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tonsurance.launch.leftovers import MARK
from tonsurance.launch.paths import ROOT

pytestmark = [pytest.mark.journey, pytest.mark.slow]

POLICIES = 60
RUN_S_MAX = 240
STOPPED_S_MAX = 60


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout with an empty `var`."""
    place = tmp_path_factory.mktemp("demo") / "checkout"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def environment() -> dict[str, str]:
    dropped = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def demo(checkout: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", *options],
        cwd=checkout,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )


def processes_of(checkout: Path) -> list[str]:
    """What still runs for the demo of `checkout`: by its mark, or working in its folders."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(checkout) or process.cwd().startswith(str(checkout)):
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except (psutil.Error, OSError):
            continue
    return found


def wait_until_stopped(checkout: Path) -> None:
    deadline = time.monotonic() + STOPPED_S_MAX
    while processes_of(checkout):
        assert time.monotonic() < deadline, processes_of(checkout)
        time.sleep(0.2)


def test_once_ends_with_the_report_and_leaves_no_process(checkout):
    done = demo(checkout, "--policies", str(POLICIES))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail" not in done.stdout
    assert "HEDGE ORCHESTRATOR STATUS" in done.stdout.upper()
    assert processes_of(checkout) == []


def test_a_second_run_reuses_the_data_and_is_quick(checkout):
    began = time.monotonic()
    done = demo(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Selling" not in done.stdout
    assert time.monotonic() - began < 40
    assert processes_of(checkout) == []


def test_a_lost_database_is_filled_anew_and_the_exchange_forgets_the_old_book(checkout):
    for folder in (checkout / "var").glob("pg*"):
        shutil.rmtree(folder)
    done = demo(checkout, "--policies", str(POLICIES))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Selling 60 policies" in done.stdout
    assert "compared: equal" in done.stdout


def test_another_size_needs_a_fresh_start(checkout):
    done = demo(checkout, "--policies", str(POLICIES + 1))
    assert done.returncode == 1
    assert f"this demo's book has {POLICIES} policies already; add --fresh" in " ".join(done.stdout.split())
    assert processes_of(checkout) == []


@pytest.mark.crash
def test_killed_outright_it_leaves_no_process_and_starts_again(checkout):
    log = checkout / "var" / "killed.log"
    with log.open("wb") as output:
        launcher = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=checkout,
            env=environment(),
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + RUN_S_MAX
    while "Ctrl-C stops everything" not in log.read_text():
        assert launcher.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    assert len(processes_of(checkout)) > 8
    assert re.search(r"back office +http://127\.0\.0\.1:\d+/admin/", log.read_text())
    launcher.send_signal(signal.SIGKILL)
    launcher.wait(timeout=15)
    again = demo(checkout)
    assert again.returncode == 0, again.stdout + again.stderr
    assert processes_of(checkout) == []


def test_ctrl_c_while_it_starts_stops_everything(checkout):
    launcher = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=checkout,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(4)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(timeout=STOPPED_S_MAX) == 130
    wait_until_stopped(checkout)
