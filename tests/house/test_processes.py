"""What production starts is what settings say, and what CI runs is a script that any machine can read."""

from __future__ import annotations

import re
import subprocess

from django.conf import settings

from tonsurance.launch.paths import ROOT


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    pairs = (line.partition(": ") for line in lines if line and not line.startswith("#"))
    return {name: command for name, _, command in pairs}


def test_production_has_a_worker_for_every_group_of_queues():
    found = {
        name: queues[1].split(",")
        for name, command in procfile().items()
        if (queues := re.search(r"celery .* worker -Q (\S+)", command))
    }
    assert {name: sorted(queues) for name, queues in found.items()} == {
        name: sorted(queues) for name, queues in settings.CELERY_WORKERS.items()
    }


def test_production_has_one_beat_one_engine_one_stream_of_books_and_a_web_server():
    commands = procfile()
    assert commands["beat"] == "celery -A tonsurance beat"
    assert commands["engine"] == "python manage.py run_engine"
    assert commands["streams"] == "python manage.py stream_markets --user"
    assert commands["web"].startswith("gunicorn tonsurance.wsgi:application ")


def test_the_checks_are_a_valid_script_that_names_no_package_host():
    script = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    words = script.read_text()
    assert "://" not in words
    assert words.splitlines()[-1] == "exec python3 manage.py test", "pytest's summary ends the output"
    assert script.stat().st_mode & 0o111
