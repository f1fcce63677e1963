"""Nothing the launcher starts outlives it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tonsurance.launch.endings import Ending, birth_of, endings_carry_out, groups_alive, is_ours
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.keeper import Child, Keeper, environment_of_children
from tonsurance.launch.paths import ROOT

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WITH_GRANDCHILD = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print(child.pid, flush=True); time.sleep(60)"
)


def spawn(keeper: Keeper, program: str, tmp_path: Path, **options: Any) -> Child:
    return keeper.spawn(
        "child",
        [sys.executable, "-c", program],
        log=tmp_path / "child.log",
        environment=environment_of_children(),
        stage=options.pop("stage", 1),
        **options,
    )


def wait_for(condition: Callable[[], bool], *, seconds_max: float = 15.0) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_ignores_the_polite_signal_is_killed_after_its_patience(keeper, tmp_path):
    child = spawn(keeper, STUBBORN, tmp_path, patience_s=0.3)
    wait_for(lambda: "up" in child.last_words())
    keeper.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_grandchildren_end_with_their_parent(keeper, tmp_path):
    child = spawn(keeper, WITH_GRANDCHILD, tmp_path, patience_s=1)
    wait_for(lambda: child.last_words().strip().isdigit())
    grandchild = int(child.last_words())
    assert is_alive(grandchild)
    keeper.stop()
    assert not is_alive(grandchild)


def test_higher_stages_stop_first(keeper, tmp_path):
    order = tmp_path / "order"
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n    open({order!r}, 'a').write({name!r}); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    children = [
        spawn(keeper, program.format(order=str(order), name=str(stage)), tmp_path / str(stage), stage=stage)
        for stage in (0, 2, 1)
    ]
    wait_for(lambda: all("up" in child.last_words() for child in children))
    keeper.stop()
    assert order.read_text() == "210"


def test_a_child_that_ended_by_itself_is_reported_with_its_last_words(keeper, tmp_path):
    child = spawn(keeper, "raise SystemExit('no such market')", tmp_path)
    child.process.wait(timeout=15)
    with pytest.raises(LaunchFailed, match=r"child ended \(exit 1\)[^\0]*no such market"):
        keeper.check_alive()


def test_a_child_that_was_let_go_is_buried_too(keeper, tmp_path):
    child = spawn(keeper, "pass", tmp_path)
    keeper.expect_end(child)
    keeper.stop()
    assert not psutil.pid_exists(child.process.pid)


@pytest.mark.crash
@pytest.mark.parametrize("last_signal", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_launcher_leaves_no_process_and_no_directory(tmp_path, last_signal):
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tonsurance.launch.keeper import Keeper, environment_of_children\n"
        "keeper = Keeper()\n"
        f"keeper.remove_at_end(Path({str(doomed)!r}))\n"
        f"child = keeper.spawn('child', [sys.executable, '-c', {WITH_GRANDCHILD!r}],"
        f" log=Path({str(tmp_path)!r}) / 'child.log', environment=environment_of_children(), stage=1, patience_s=1)\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    launcher = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    child = int(launcher.stdout.readline())
    wait_for(lambda: (tmp_path / "child.log").read_text().strip().isdigit())
    grandchild = int((tmp_path / "child.log").read_text())
    launcher.send_signal(last_signal)
    launcher.wait(timeout=15)
    launcher.stdout.close()
    wait_for(lambda: not is_alive(child) and not is_alive(grandchild) and not doomed.exists())
    assert groups_alive([child]) == set()


def test_a_number_given_to_another_process_is_left_alone():
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        old = Ending(kind="process", stage=0, pid=stranger.pid, born_at=birth_of(stranger.pid) - 3600)
        assert not is_ours(old)
        endings_carry_out([old])
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(timeout=15)


def test_children_do_not_inherit_libpqs_own_variables(monkeypatch):
    monkeypatch.setenv("PGPORT", "6000")
    found = environment_of_children(DATABASE_URL="postgres://x")
    assert "PGPORT" not in found
    assert found["DATABASE_URL"] == "postgres://x"
    assert found["PATH"] == os.environ["PATH"]
