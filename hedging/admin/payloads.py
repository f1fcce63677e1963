"""Signed bytes as people may see them: everything but what would let somebody send them."""

from __future__ import annotations

import json
from typing import Any

HIDDEN = "•••"
_SECRET = (
    "signature",
    "owner",
    "apikey",
    "api_key",
    "secret",
    "passphrase",
    "key",
    "token_secret",
    "authorization",
)


def redacted(payload: bytes) -> str:
    """Indented JSON with secrets hidden; bytes that are not JSON are described, never shown."""
    try:
        body = json.loads(payload)
    except ValueError:
        return f"{len(payload)} bytes that are not JSON"
    return json.dumps(_hide(body), indent=2, sort_keys=True, ensure_ascii=False)


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: HIDDEN if str(name).lower() in _SECRET else _hide(inner) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_hide(inner) for inner in value]
    return value
