"""Identities that can be derived again: an id computed from what it names survives a lost commit.

A number drawn at random is forgotten with the transaction that stored it; a derived one comes out the same when
the decision is made again, so the venue recognises the order that we forgot.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import uuid

# JavaScript's largest exact integer: a salt beyond it is damaged by any JSON reader that uses doubles.
SALT_MAX = 2**53 - 1


def derived_salt(secret: bytes, decision_key: str, generation: int) -> int:
    """An order salt in [1, 2**53-1] that depends on the decision and its generation alone."""
    digest = hmac.digest(secret, f"{decision_key}|{generation}".encode(), hashlib.sha256)
    return (int.from_bytes(digest, "big") & SALT_MAX) or 1


def time_ordered_uuid() -> uuid.UUID:
    """A version 7 UUID (RFC 9562): sorts by creation, so new rows land together in an index."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)
