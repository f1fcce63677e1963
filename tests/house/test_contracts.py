"""The arrows of the house hold: `.importlinter` says which, the tool says whether."""

from __future__ import annotations

import subprocess
import sys

from tonsurance.launch.paths import ROOT

LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def test_every_import_goes_the_way_the_house_was_drawn():
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Contracts: " in done.stdout
    assert " 0 broken" in done.stdout
