"""What survives: every record as one JSON row in SQLite, committed before the exchange answers.

Writes gather in memory during one request and reach the file in one transaction, so a process killed at any
instant has either the whole effect of a request or none of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Store:
    """Rows keyed by (kind, key). Without a path nothing outlives the process."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(str(path or ":memory:"), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA busy_timeout=5000")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key)) "
            "WITHOUT ROWID"
        )
        self._dirty: dict[tuple[str, str], str | None] = {}

    def put(self, kind: str, key: str, body: Any) -> None:
        """Remember a row for the next commit."""
        self._dirty[kind, key] = json.dumps(body, separators=(",", ":"))

    def drop(self, kind: str, key: str) -> None:
        """Forget a row at the next commit."""
        self._dirty[kind, key] = None

    def commit(self) -> None:
        """Write everything gathered since the last commit in one transaction."""
        if not self._dirty:
            return
        kept = [(kind, key, body) for (kind, key), body in self._dirty.items() if body is not None]
        gone = [name for name, body in self._dirty.items() if body is None]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", kept)
            self._connection.executemany("DELETE FROM rows WHERE kind = ? AND key = ?", gone)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._dirty.clear()

    def read(self, kind: str) -> Iterator[tuple[str, Any]]:
        """Yield every committed (key, body) of one kind, by key."""
        cursor = self._connection.execute("SELECT key, body FROM rows WHERE kind = ? ORDER BY key", (kind,))
        for key, body in cursor:
            yield key, json.loads(body)

    def clear(self) -> None:
        """Forget everything, at once."""
        self._dirty.clear()
        self._connection.execute("DELETE FROM rows")

    def close(self) -> None:
        """Close the file; what was not committed is not kept."""
        self._connection.close()
