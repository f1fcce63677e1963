"""What this process is called in the database: the command that started it, and its number."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

NAME_MAX = 63
"""PostgreSQL cuts application names there."""


def process_name() -> str:
    """For instance `run_engine@host:4711`: the management command, or the program, with host and process id."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    words = [word for word in sys.argv[1:3] if not word.startswith("-")]
    command = words[0] if program in ("manage.py", "__main__.py") and words else program
    return f"{command}@{socket.gethostname()}:{os.getpid()}"[:NAME_MAX]
