"""The process: one line, one port file, a clean end."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.venues.simulators.polymarket.rig import ROOT, Exchange


def test_the_process_says_its_address_and_ends_cleanly_on_sigterm(tmp_path):
    exchange = Exchange(tmp_path)
    assert exchange.get("/clob/ok") == "OK"
    exchange.process.send_signal(signal.SIGTERM)
    assert exchange.process.stderr is not None
    lines = exchange.process.stderr.read().decode().splitlines()
    assert exchange.process.wait(5) == 0
    assert len(lines) == 1
    assert f"Polymarket practice exchange on {exchange.base} (chain 31337)" in lines[0]
    exchange.process.stderr.close()


def test_it_ends_cleanly_while_a_caller_is_kept_waiting(tmp_path):
    exchange = Exchange(tmp_path)
    exchange.admin("/faults", kind="timeout_before", path="/clob/time", seconds=60)
    waiting = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as u; u.urlopen('{exchange.base}/clob/time')"],
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        if exchange.get("/admin/faults")["log"]:
            break
    assert exchange.stop() == 0
    assert waiting.wait(5) != 0


def test_the_simulator_needs_neither_django_nor_an_adapter():
    code = (
        "import sys, venues.simulators.polymarket.server;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('django', 'polymarket')"
        " or m.startswith('venues.adapters')]; sys.exit(bool(bad) and repr(bad))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
