"""One demo for each checkout, and after a kill the next one clears up, touching nobody else's processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import environment_of_children
from tonsurance.launch.leftovers import MARK, leftovers_stop, the_only_one
from tonsurance.launch.paths import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from tonsurance.launch.leftovers import the_only_one
with the_only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def sleeper(**environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=environment_of_children(**environment)
    )


def test_only_processes_marked_with_this_checkout_are_stopped(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    ours, theirs, nobodys = sleeper(**{MARK: str(here)}), sleeper(**{MARK: str(elsewhere)}), sleeper()
    try:
        assert leftovers_stop(here) == 1
        assert ours.poll() is not None
        assert theirs.poll() is None
        assert nobodys.poll() is None
    finally:
        for process in (ours, theirs, nobodys):
            process.kill()
            process.wait(timeout=15)


def test_a_second_demo_in_the_same_checkout_is_told_about_the_first(tmp_path):
    lock = tmp_path / "demo.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        refused = pytest.raises(LaunchFailed, match=rf"is running already \(process {holder.pid}\)")
        with refused, the_only_one(lock):
            pytest.fail("two demos at once")
    finally:
        holder.kill()
        holder.wait(timeout=15)


@pytest.mark.crash
def test_the_lock_of_a_killed_demo_is_free(tmp_path: Path):
    lock = tmp_path / "demo.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait(timeout=15)
    holder.stdout.close()
    with the_only_one(lock) as descriptor:
        assert descriptor > 2


def test_the_lock_waits_for_a_warden_that_is_still_stopping_things(tmp_path: Path):
    lock = tmp_path / "demo.lock"
    lock.touch()
    # The holder that wrote its name is gone; another process still has the file locked for a second.
    lock.write_text('{"pid": 999999999, "born_at": 1000000000.0}')
    waiting = "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True)"
    warden = subprocess.Popen(
        [sys.executable, "-c", f"{waiting}; time.sleep(1)", str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert warden.stdout is not None
    assert warden.stdout.readline() == "held\n"
    with the_only_one(lock):
        assert warden.wait(timeout=15) == 0
    warden.stdout.close()
