"""Says what `manage.py test` does: pytest, on the servers its plugin starts.

This process becomes pytest, so its exit code, its Ctrl-C and its last lines are pytest's own.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from tonsurance.launch.paths import ROOT


def run_tests(arguments: list[str]) -> NoReturn:
    """Replace this process by pytest run from the checkout's root with `arguments`."""
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])
