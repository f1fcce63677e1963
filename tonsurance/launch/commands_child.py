"""Runs management commands one after another in a single Python: starting Django once instead of nine times.

It reads one JSON request a line and answers one JSON line each; whatever a command prints goes into its
answer, and what escapes that goes to the log.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import traceback
from typing import Any, TextIO

TRACE_LINES = 6


def answer_requests(requests: TextIO, answers: TextIO) -> None:
    """Say hello with the settings' workers, then run each requested command until the requests end."""
    import django

    django.setup()
    from django.conf import settings

    _send(answers, {"code": 0, "output": "", "workers": settings.CELERY_WORKERS})
    for line in requests:
        request = json.loads(line)
        if "variables" in request:
            settings_reload(request["variables"])
            _send(answers, {"code": 0, "output": ""})
        else:
            _send(answers, command_run(request["command"]))


def settings_reload(variables: dict[str, str]) -> None:
    """Add `variables` to the environment and read the settings again, which is quicker than another Django."""
    from django.conf import settings

    os.environ.update(variables)
    module = importlib.reload(importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"]))
    for name in filter(str.isupper, dir(module)):
        setattr(settings, name, getattr(module, name))


def command_run(command: list[str]) -> dict[str, Any]:
    """Run one command; `code` is what a shell would have seen, `output` everything it printed."""
    from django.core.management import CommandError, call_command
    from django.db import close_old_connections

    printed = io.StringIO()
    code: int = 0
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            call_command(*command, stdout=printed, stderr=printed, no_color=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            printed.write(ended.code)
    except CommandError as refused:
        code = refused.returncode
        printed.write(f"{refused}\n")
    except Exception:  # noqa: BLE001  whatever went wrong is this command's answer
        code = 1
        traceback.print_exc(file=sys.stderr)
        printed.write("\n".join(traceback.format_exc().splitlines()[-TRACE_LINES:]))
    close_old_connections()
    return {"code": code, "output": printed.getvalue()}


def _send(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer_requests(sys.stdin, channel)
